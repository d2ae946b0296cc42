import { isBlank } from '../blanks.ts';
import { isTypographicQuote, isVisible } from '../stray.ts';

/**
 * ASCII characters of a bare name. The reference also allows `! % & ' * + |` in one, and so reads `key!='x'`
 * as a name; here they are operators or refused, and a name that holds them stands in braces.
 */
const NAME_ASCII = new Set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.#$^`~');

/** Whether a bare name may hold `character`; at its start it may not be `-`, `.`, `$` or a digit. */
export function isNameCharacter(character: string): boolean {
  if (character <= '\u00a0') return NAME_ASCII.has(character);
  return isVisible(character) && !isTypographicQuote(character) && !isBlank(character);
}

/** Where the bare name that begins at `start` ends. */
export function endOfName(text: string, start: number): number {
  let end = start;
  while (isNameCharacter(text.charAt(end))) end += 1;
  return end;
}
