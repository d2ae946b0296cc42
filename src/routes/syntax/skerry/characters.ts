import { isBlank } from '../blanks.ts';
import { isTypographicQuote, isVisible } from '../stray.ts';

/**
 * ASCII characters of a bare name. Azure IoT Edge also allows `! % & ' * + |`, so it parses `key!='x'` as a
 * name. In this dialect they are operators or refused, and a name that contains them is written in braces.
 */
const NAME_ASCII = new Set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.#$^`~');

/** True if a bare name may contain `character`. A bare name cannot begin with `-`, `.`, `$` or a digit. */
export function isNameCharacter(character: string): boolean {
  if (character <= '\u00a0') return NAME_ASCII.has(character);
  return isVisible(character) && !isTypographicQuote(character) && !isBlank(character);
}

/** Returns the end of the bare name at `start`. */
export function endOfName(text: string, start: number): number {
  let end = start;
  while (isNameCharacter(text.charAt(end))) end += 1;
  return end;
}
