import { endOfDigits, endOfExponent, isDigit } from '../syntax/digits.ts';

const CURRENCY = '¤';

/**
 * The number that `text` holds as the reference reads one (.NET's `NumberStyles.Any`, invariant culture): blanks, a
 * sign or brackets for minus, commas between digits, a fraction, an exponent, a currency sign. NaN if it holds none.
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

/** Signs, brackets, blanks and currency signs before (1) or behind (-1) the digits. */
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

/** 1 or -1; undefined if there are two signs, or half a pair of brackets. At most one currency sign may stand there. */
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
