export function isDigit(character: string): boolean {
  return character >= '0' && character <= '9' && character.length === 1;
}

export function isHexDigit(character: string): boolean {
  return isDigit(character) || (character.length === 1 && 'abcdefABCDEF'.includes(character));
}

export function endOfDigits(text: string, start: number): number {
  let end = start;
  while (isDigit(text.charAt(end))) end += 1;
  return end;
}

export function endOfHexDigits(text: string, start: number): number {
  let end = start;
  while (isHexDigit(text.charAt(end))) end += 1;
  return end;
}

/**
 * Returns the end offset of an exponent (`e`, optional sign, digits). Returns `start` if there is no
 * exponent.
 */
export function endOfExponent(text: string, start: number): number {
  if (text.charAt(start).toLowerCase() !== 'e') return start;
  const sign = text.charAt(start + 1);
  const digits = sign === '+' || sign === '-' ? start + 2 : start + 1;
  const end = endOfDigits(text, digits);
  return end > digits ? end : start;
}
