import { refuse } from '../../diagnostics.ts';
import { endOfBlanks, isBlank } from '../blanks.ts';
import { isDigit } from '../digits.ts';
import { endOfDecimal, endOfHexadecimal } from '../numerals.ts';
import { refuseStray } from '../stray.ts';
import type { Token } from '../token.ts';
import { endOfName, isNameCharacter } from './characters.ts';
import { scanPath } from './path.ts';
import { scanString } from './strings.ts';

/** Operators of other languages, each with the equivalent operator of routes. Checked before `SYMBOLS`. */
const FOREIGN = [
  { symbol: '==', advice: 'write = to compare' },
  { symbol: '&&', advice: 'write AND' },
];

/** Symbols. Longer symbols come first, so that `<=` is not read as `<`. */
const SYMBOLS = ['!=', '<>', '<=', '>=', '||', '??', ...'(),=<>+-*/%'];

/** Scans the next token from `from`. Skips blanks and comments. */
export function scanSkerryToken(text: string, from: number): Token {
  const start = endOfBlanks(text, from, isBlank);
  const first = text.charAt(start);
  if (first === '') return { kind: 'end', start, end: start };
  if (first === '"' || first === "'") return { kind: 'string', ...scanString(text, start) };
  if (first === '{') return scanBraces(text, start);
  if (first === '$') return scanDollar(text, start);
  if (isDigit(first) || (first === '.' && isDigit(text.charAt(start + 1)))) return scanNumber(text, start);
  const foreign = FOREIGN.find(({ symbol }) => text.startsWith(symbol, start));
  if (foreign !== undefined)
    refuse({ start, end: start + 2 }, `${foreign.symbol} is not known: ${foreign.advice}`);
  const symbol = SYMBOLS.find(known => text.startsWith(known, start));
  if (symbol !== undefined) return { kind: 'symbol', symbol, start, end: start + symbol.length };
  if (!isNameCharacter(first) || first === '.') return refuseStray(text, start);
  const end = endOfName(text, start);
  return { kind: 'word', word: text.slice(start, end), start, end };
}

function scanNumber(text: string, start: number): Token {
  const hexadecimal = endOfHexadecimal(text, start);
  const end = hexadecimal > start ? hexadecimal : endOfDecimal(text, start);
  const next = text.charAt(end);
  if (isNameCharacter(next) && next !== '-') {
    const span = { start, end: endOfName(text, start) };
    const word = text.slice(span.start, span.end);
    refuse(span, `${word} is not a number; write a name that begins with a digit in braces: {${word}}`);
  }
  return { kind: 'number', value: Number(text.slice(start, end)), start, end };
}

function scanBraces(text: string, start: number): Token {
  const close = text.indexOf('}', start);
  if (close < 0) refuse({ start, end: start + 1 }, 'this brace is not closed', { expected: '}' });
  const end = close + 1;
  const name = text.slice(start + 1, close);
  if (name === '' || name !== name.trim() || name.includes('{') || name.includes('\n')) {
    refuse(
      { start, end },
      'braces must contain the name of one application property, without surrounding blanks',
    );
  }
  return { kind: 'braces', name, start, end };
}

function scanDollar(text: string, start: number): Token {
  let end = start + 1;
  while (isNameCharacter(text.charAt(end)) && text.charAt(end) !== '.') end += 1;
  const name = text.slice(start + 1, end);
  if (name === '') refuse({ start, end }, 'write $ before the name of a system property, or in $body');
  if (name.toLowerCase() === 'body') return { kind: 'body', ...scanPath(text, start, end) };
  return { kind: 'system', name, start, end };
}
