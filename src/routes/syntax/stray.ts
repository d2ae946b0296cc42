import { refuse } from '../diagnostics.ts';

/**
 * Typographic quotes. In the skerry dialect, a bare name cannot contain a typographic quote. Otherwise a
 * string in such quotes would count as a name.
 */
const TYPOGRAPHIC_QUOTES = new Set('“”„‟‘’‚‛«»‹›″′');

/**
 * Invisible characters: soft hyphen, zero-width characters and direction marks. In the skerry dialect, a bare
 * name cannot contain them. Otherwise two names could look the same and differ.
 */
const INVISIBLE = new Set('\u00ad\u200b\u200c\u200d\u200e\u200f\u2060');

/** Advice in the error text for a character that cannot begin a token. */
const ADVICE: Readonly<Record<string, string>> = {
  '!': 'write NOT',
  '|': 'write || to join strings or OR between conditions',
  '&': 'write AND',
  '?': 'write ?? for a default',
  '[': 'write an index directly after a part of $body',
  '}': 'write braces around the name of an application property',
  '.': 'a name begins with a letter; write any other name in braces',
};

export function isTypographicQuote(character: string): boolean {
  return TYPOGRAPHIC_QUOTES.has(character);
}

export function isVisible(character: string): boolean {
  return character > ' ' && !(character >= '\u007f' && character <= '\u00a0') && !INVISIBLE.has(character);
}

/** Throws a `RouteError` that refuses the character at `start`, which cannot begin a token. */
export function refuseStray(text: string, start: number): never {
  const character = String.fromCodePoint(text.codePointAt(start) ?? 0);
  const span = { start, end: start + character.length };
  if (isTypographicQuote(character)) refuse(span, `${character} is not a quote here: write " or '`);
  const advice = ADVICE[character] ?? 'it has no meaning in a route';
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  const shown = isVisible(character) ? character : `the character U+${code}`;
  return refuse(span, `${shown} is not allowed here: ${advice}`);
}
