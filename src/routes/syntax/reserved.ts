/** Reserved words. The case of a word does not matter. */
const KEYWORDS: ReadonlySet<string> = new Set(['SELECT', 'FROM', 'WHERE', 'INTO', 'AND', 'OR', 'NOT']);

/** Literals and their values. A literal must be in lower case. */
export const LITERALS: ReadonlyMap<string, boolean | null | undefined> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
  ['undefined', undefined],
]);

export function isKeyword(word: string): boolean {
  return KEYWORDS.has(word.toUpperCase());
}

/**
 * Returns true if a word is a keyword or a literal in any case. Such a word is not parsed as an application
 * property.
 */
export function isReserved(word: string): boolean {
  return isKeyword(word) || LITERALS.has(word.toLowerCase());
}
