import { refuse } from '../../diagnostics.ts';
import { endOfBlanks } from '../blanks.ts';
import { endOfDigits, endOfExponent, endOfHexDigits } from '../digits.ts';
import { refuseStray } from '../stray.ts';
import type { Token } from '../token.ts';
import { endOfQuoted, unescaped } from './strings.ts';

/** Characters that end a name. */
const ENDS_NAME = new Set('()<>@,;:\\"/[]?={} \t\n\r');

/** Characters that end a path after `$`. Excludes square brackets, because a path can contain indexes. */
const ENDS_PATH = new Set('()<>@,;:\\"/?={} \t\n\r');

/** Symbols. Longer symbols come first, so that `<=` is not read as `<`. */
const SYMBOLS = ['!=', '<>', '<=', '>=', '||', '??', ...'(){},=<>+-*/%'];

const HEX_BITS = 64;
const HEX_DIGITS = 16;

/**
 * Scans the next token as Azure IoT Edge does: the longest match wins. Among matches of equal length, a
 * string wins over a number, and a number wins over an operator. As a result, `3+4`, `a||b` and `key!` are
 * names.
 */
export function scanAzureToken(text: string, from: number): Token {
  const start = endOfBlanks(text, from, character => ' \t\r\n'.includes(character) && character !== '');
  const first = text.charAt(start);
  if (first === '') return { kind: 'end', start, end: start };
  const pathEnd = endBefore(text, start, ENDS_PATH);
  if (first === '"' || first === "'") {
    const quoted = scanString(text, start);
    if (quoted.end >= pathEnd) return quoted;
  }
  const number = scanNumber(text, start);
  if (number !== undefined && number.end >= pathEnd) return number;
  const symbol = SYMBOLS.find(known => text.startsWith(known, start));
  if (symbol !== undefined && start + symbol.length >= pathEnd) {
    return { kind: 'symbol', symbol, start, end: start + symbol.length };
  }
  return scanName(text, start, pathEnd);
}

function scanName(text: string, start: number, pathEnd: number): Token {
  if (pathEnd === start) return refuseStray(text, start);
  if (text.charAt(start) === '$' && pathEnd > start + 1) {
    return { kind: 'system', name: text.slice(start + 1, pathEnd), start, end: pathEnd };
  }
  if (endBefore(text, start, ENDS_NAME) < pathEnd) {
    refuse({ start, end: pathEnd }, 'brackets are allowed only in a path after $body');
  }
  return { kind: 'word', word: text.slice(start, pathEnd), start, end: pathEnd };
}

function scanString(text: string, start: number): Token {
  const end = endOfQuoted(text, start);
  if (end === undefined) {
    const expected = text.charAt(start);
    return refuse({ start, end: text.length }, 'unterminated string', { expected });
  }
  return { kind: 'string', value: unescaped(text.slice(start + 1, end - 1)), start, end };
}

function scanNumber(text: string, start: number): Token | undefined {
  const hexadecimal = endOfHexadecimal(text, start);
  if (hexadecimal > start) {
    return {
      kind: 'number',
      value: hexadecimalOf(text.slice(start + 2, hexadecimal)),
      start,
      end: hexadecimal,
    };
  }
  const end = endOfReal(text, start);
  if (end === start) return undefined;
  const value = Number(text.slice(start, end));
  return { kind: 'number', value: Number.isNaN(value) ? undefined : value, start, end };
}

function endOfHexadecimal(text: string, start: number): number {
  if (text.charAt(start) !== '0' || text.charAt(start + 1).toLowerCase() !== 'x') return start;
  const end = endOfHexDigits(text, start + 2);
  return end > start + 2 ? end : start;
}

/**
 * Converts a hexadecimal number. Returns undefined if the number has more than 64 bits. Reads the bits as a
 * signed 64-bit integer.
 */
function hexadecimalOf(digits: string): number | undefined {
  const significant = digits.slice(digits.length - HEX_DIGITS);
  const above = digits.slice(0, Math.max(0, digits.length - HEX_DIGITS));
  for (const digit of above) if (digit !== '0') return undefined;
  return Number(BigInt.asIntN(HEX_BITS, BigInt(`0x${significant}`)));
}

/**
 * Returns the end offset of a number with an optional minus sign. An exponent without preceding digits, such
 * as `e5`, is a number without a value.
 */
function endOfReal(text: string, start: number): number {
  const from = text.charAt(start) === '-' ? start + 1 : start;
  const whole = endOfDigits(text, from);
  const fraction = text.charAt(whole) === '.' ? endOfDigits(text, whole + 1) : whole;
  const mantissa = fraction > whole + 1 ? fraction : whole;
  const end = endOfExponent(text, mantissa);
  return end > from ? end : start;
}

function endBefore(text: string, start: number, ends: ReadonlySet<string>): number {
  let end = start;
  while (end < text.length && !ends.has(text.charAt(end))) end += 1;
  return end;
}
