import { endOfDigits, endOfExponent, isDigit } from '../../syntax/digits.ts';

const CURRENCY = '¤';

/**
 * Parses a number in the format of .NET's `NumberStyles.Any` with the invariant culture. The number can have
 * surrounding blanks, a sign, brackets (for a negative number), thousands separators, a fraction, an exponent
 * and a currency sign. Returns NaN if the number is invalid.
 */
export function numberFromAny(text: string): number {
  const trimmed = text.trim();
  const infinite = trimmed.toLowerCase().replace(/^[+-]/, '') === 'infinity';
  if (infinite) return trimmed.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const front = affixOf(trimmed, 1);
  const back = affixOf(trimmed.slice(front.length), -1);
  const digits = trimmed.slice(front.length, trimmed.length - back.length);
  const signs = signOf(front.signs + back.signs);
  const value = plainNumber(digits);
  return signs === undefined ? Number.NaN : signs * value;
}

type Affix = { readonly length: number; readonly signs: string };

/**
 * Reads the signs, brackets, blanks and currency signs before the digits (`direction` 1) or after the digits
 * (`direction` -1).
 */
function affixOf(text: string, direction: 1 | -1): Affix {
  const allowed = direction === 1 ? `+-( ${CURRENCY}` : `+-) ${CURRENCY}`;
  let length = 0;
  let signs = '';
  while (length < text.length) {
    const character = text.charAt(direction === 1 ? length : text.length - 1 - length);
    if (!allowed.includes(character)) break;
    if (character !== ' ') signs += character;
    length += 1;
  }
  return { length, signs };
}

/**
 * Returns the sign as 1 or -1. Returns undefined if there are two signs, two currency signs or unbalanced
 * brackets.
 */
function signOf(marks: string): number | undefined {
  const rest = marks.replace(CURRENCY, '');
  if (rest === '' || rest === '+') return 1;
  return rest === '-' || rest === '()' ? -1 : undefined;
}

function plainNumber(text: string): number {
  let whole = 0;
  while (isDigit(text.charAt(whole)) || (text.charAt(whole) === ',' && whole > 0)) whole += 1;
  const fraction = text.charAt(whole) === '.' ? endOfDigits(text, whole + 1) : whole;
  const hasDigits = whole > 0 || fraction > whole + 1;
  const end = endOfExponent(text, fraction);
  return hasDigits && end === text.length ? Number(text.replaceAll(',', '')) : Number.NaN;
}
