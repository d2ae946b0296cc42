import { isDigit, isHexDigit } from './characters.ts';

/**
 * Where the number that begins at `start` ends, or `start` if none does: digits with or without a fraction and
 * an exponent, or a fraction alone. No sign; leading zeros do not make it octal.
 */
export function endOfDecimal(text: string, start: number): number {
  const whole = endOfDigits(text, start);
  const fraction = text.charAt(whole) === '.' ? endOfDigits(text, whole + 1) : whole;
  const mantissa = fraction > whole + 1 ? fraction : whole;
  if (mantissa === start) return start;
  return endOfExponent(text, mantissa);
}

/** Where the `0x` number that begins at `start` ends, or `start` if none does. */
export function endOfHexadecimal(text: string, start: number): number {
  if (text.charAt(start) !== '0' || text.charAt(start + 1).toLowerCase() !== 'x') return start;
  let end = start + 2;
  while (isHexDigit(text.charAt(end))) end += 1;
  return end > start + 2 ? end : start;
}

/** The number that `text` holds: decimal, with or without a sign and blanks around it; undefined if none. */
export function numberFrom(text: string): number | undefined {
  const trimmed = text.trim();
  const first = trimmed.charAt(0);
  const start = first === '-' || first === '+' ? 1 : 0;
  const end = endOfDecimal(trimmed, start);
  return end > start && end === trimmed.length ? Number(trimmed) : undefined;
}

function endOfExponent(text: string, start: number): number {
  if (text.charAt(start).toLowerCase() !== 'e') return start;
  const sign = text.charAt(start + 1);
  const digits = sign === '+' || sign === '-' ? start + 2 : start + 1;
  const end = endOfDigits(text, digits);
  return end > digits ? end : start;
}

function endOfDigits(text: string, start: number): number {
  let end = start;
  while (isDigit(text.charAt(end))) end += 1;
  return end;
}
