/** Words that are never the name of a property, in any case. */
const KEYWORDS: ReadonlySet<string> = new Set(['SELECT', 'FROM', 'WHERE', 'INTO', 'AND', 'OR', 'NOT']);

/** Words that are values, in lower case only. */
export const LITERALS: ReadonlyMap<string, boolean | null | undefined> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
]);

export function isKeyword(word: string): boolean {
  return KEYWORDS.has(word.toUpperCase());
}

/** Whether a bare `word` is read as something else than the application property of that name. */
export function isReserved(word: string): boolean {
  return isKeyword(word) || LITERALS.has(word.toLowerCase());
}
