import { isBlank } from '../blanks.ts';
import { isTypographicQuote, isVisible } from '../stray.ts';

/**
 * ASCII characters that a bare name (a name without braces) can contain. Azure IoT Edge also allows `! % & '
 * * + |` in names, and therefore parses `key!='x'` as a name. In the skerry dialect, these characters are
 * operators or errors. A name that contains such a character is written in braces.
 */
const NAME_ASCII = new Set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.#$^`~');

/**
 * Returns true if a bare name can contain `character`. A bare name cannot begin with `-`, `.`, `$` or a
 * digit.
 */
export function isNameCharacter(character: string): boolean {
  if (character <= '\u00a0') return NAME_ASCII.has(character);
  return isVisible(character) && !isTypographicQuote(character) && !isBlank(character);
}

/** Returns the end offset of the bare name at `start`. */
export function endOfName(text: string, start: number): number {
  let end = start;
  while (isNameCharacter(text.charAt(end))) end += 1;
  return end;
}
