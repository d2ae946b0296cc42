/** Reserved words, in any case. */
const KEYWORDS: ReadonlySet<string> = new Set(['SELECT', 'FROM', 'WHERE', 'INTO', 'AND', 'OR', 'NOT']);

/** Literals, in lower case only. */
export const LITERALS: ReadonlyMap<string, boolean | null | undefined> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
]);

export function isKeyword(word: string): boolean {
  return KEYWORDS.has(word.toUpperCase());
}

/** True if the bare word `word` is not parsed as an application property. */
export function isReserved(word: string): boolean {
  return isKeyword(word) || LITERALS.has(word.toLowerCase());
}
