import { endOfDigits, endOfExponent, endOfHexDigits } from './digits.ts';

/**
 * Returns the end offset of a decimal number without a sign: digits with optional fraction and exponent, or
 * only a fraction. Returns `start` if there is no number. Leading zeros do not make the number octal.
 */
export function endOfDecimal(text: string, start: number): number {
  const whole = endOfDigits(text, start);
  const fraction = text.charAt(whole) === '.' ? endOfDigits(text, whole + 1) : whole;
  const mantissa = fraction > whole + 1 ? fraction : whole;
  if (mantissa === start) return start;
  return endOfExponent(text, mantissa);
}

/** Returns the end offset of a `0x` number. Returns `start` if there is no such number. */
export function endOfHexadecimal(text: string, start: number): number {
  if (text.charAt(start) !== '0' || text.charAt(start + 1).toLowerCase() !== 'x') return start;
  const end = endOfHexDigits(text, start + 2);
  return end > start + 2 ? end : start;
}

/**
 * Maximum number of digits for the fast path. Up to this number, the digits and the power of ten are exact
 * JavaScript numbers, so that the quotient of both is rounded correctly.
 */
const EXACT_DIGITS = 15;
const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** Parses a decimal number with an optional minus sign. Returns NaN if the number is invalid. */
export function numberFrom(text: string): number {
  const negative = text.charCodeAt(0) === MINUS;
  let mantissa = 0;
  let digits = 0;
  let point = -1;
  for (let at = negative ? 1 : 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= ZERO && code <= NINE) {
      mantissa = mantissa * 10 + (code - ZERO);
      digits += 1;
    } else if (code === POINT && point < 0) point = digits;
    else return slowNumberFrom(text);
  }
  if (digits === 0 || digits > EXACT_DIGITS || point === digits) return slowNumberFrom(text);
  const value = point < 0 ? mantissa : mantissa / (POWERS[digits - point] ?? 1);
  return negative ? -value : value;
}

/**
 * Parses a number that the fast path does not accept: a number with surrounding blanks, a plus sign, an
 * exponent or more than EXACT_DIGITS digits.
 */
function slowNumberFrom(text: string): number {
  const trimmed = text.trim();
  const first = trimmed.charAt(0);
  const start = first === '-' || first === '+' ? 1 : 0;
  const end = endOfDecimal(trimmed, start);
  return end > start && end === trimmed.length ? Number(trimmed) : Number.NaN;
}
