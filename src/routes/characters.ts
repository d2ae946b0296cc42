/**
 * ASCII characters of a bare name. The reference also allows `! % & ' * + |` in one, and so reads `key!='x'`
 * as a name; here they are operators or refused, and a name that holds them stands in braces.
 */
const NAME_ASCII = new Set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.#$^`~');

/** What stands for a quote in prose. It would silently become a part of a name. */
const TYPOGRAPHIC_QUOTES = new Set('“”„‟‘’‚‛«»‹›″′');

/** What is not seen at all and would become a part of a name: soft hyphen, zero width and direction marks. */
const INVISIBLE = new Set('\u00ad\u200b\u200c\u200d\u200e\u200f\u2060');

export function isBlank(character: string): boolean {
  return character !== '' && character.trim() === '';
}

export function isDigit(character: string): boolean {
  return character >= '0' && character <= '9' && character.length === 1;
}

export function isHexDigit(character: string): boolean {
  return isDigit(character) || (character.length === 1 && 'abcdefABCDEF'.includes(character));
}

export function isTypographicQuote(character: string): boolean {
  return TYPOGRAPHIC_QUOTES.has(character);
}

export function isVisible(character: string): boolean {
  return character > ' ' && !(character >= '\u007f' && character <= '\u00a0') && !INVISIBLE.has(character);
}

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
