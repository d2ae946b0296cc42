import { endOfName, isBlank, isDigit, isNameCharacter, isTypographicQuote, isVisible } from './characters.ts';
import { refuse } from './diagnostics.ts';
import { endOfDecimal, endOfHexadecimal } from './numerals.ts';
import { scanPath } from './path.ts';
import { scanString } from './strings.ts';
import type { Span, Step } from './tree.ts';

export type Token = Span &
  (
    | { readonly kind: 'word'; readonly word: string }
    | { readonly kind: 'number'; readonly value: number }
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'braces'; readonly name: string }
    | { readonly kind: 'system'; readonly name: string }
    | { readonly kind: 'body'; readonly path: readonly Step[] }
    | { readonly kind: 'source'; readonly path: string }
    | { readonly kind: 'symbol'; readonly symbol: string }
    | { readonly kind: 'end' }
  );

/** What other languages write, and what is written here. Looked up before `SYMBOLS`. */
const FOREIGN = [
  { symbol: '==', advice: 'one = compares' },
  { symbol: '&&', advice: 'write AND' },
];

/** The longer first, so that `<=` is not read as `<`. */
const SYMBOLS = ['!=', '<>', '<=', '>=', '||', '??', ...'(),=<>+-*/%'];

/** What is wrong with a character that begins no token. */
const STRAY: Readonly<Record<string, string>> = {
  '!': 'write NOT',
  '|': 'write || to join strings or OR between conditions',
  '&': 'write AND',
  '?': 'write ?? for a default',
  '[': 'an index stands directly behind a part of $body',
  '}': 'braces stand around the name of an application property',
  '.': 'a name begins with a letter; any other name stands in braces',
};

/** The token at or after `from`. Blanks and comments before it are passed over. */
export function scanToken(text: string, from: number): Token {
  const start = endOfBlanks(text, from);
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

/**
 * The source at or after `from`: behind FROM a `/` always begins one, and it runs to the next blank, so that
 * `/*` is a source there and a comment everywhere else. Undefined if no `/` stands there.
 */
export function scanSource(text: string, from: number): Token | undefined {
  let start = from;
  while (isBlank(text.charAt(start))) start += 1;
  if (text.charAt(start) !== '/') return undefined;
  let end = start;
  while (end < text.length && !isBlank(text.charAt(end))) end += 1;
  return { kind: 'source', path: text.slice(start, end), start, end };
}

function endOfBlanks(text: string, from: number): number {
  let at = from;
  for (;;) {
    while (isBlank(text.charAt(at))) at += 1;
    if (!text.startsWith('/*', at)) return at;
    const close = text.indexOf('*/', at + 2);
    if (close < 0) refuse({ start: at, end: at + 2 }, 'this comment has no end', { expected: '*/' });
    at = close + 2;
  }
}

function scanNumber(text: string, start: number): Token {
  const hexadecimal = endOfHexadecimal(text, start);
  const end = hexadecimal > start ? hexadecimal : endOfDecimal(text, start);
  const next = text.charAt(end);
  if (isNameCharacter(next) && next !== '-') {
    const span = { start, end: endOfName(text, start) };
    const word = text.slice(span.start, span.end);
    refuse(span, `${word} is not a number; a name that begins with a digit stands in braces: {${word}}`);
  }
  return { kind: 'number', value: Number(text.slice(start, end)), start, end };
}

function scanBraces(text: string, start: number): Token {
  const close = text.indexOf('}', start);
  if (close < 0) refuse({ start, end: start + 1 }, 'this brace is not closed', { expected: '}' });
  const end = close + 1;
  const name = text.slice(start + 1, close);
  if (name === '' || name !== name.trim() || name.includes('{') || name.includes('\n')) {
    refuse({ start, end }, 'braces hold the name of one application property, without blanks around it');
  }
  return { kind: 'braces', name, start, end };
}

function scanDollar(text: string, start: number): Token {
  let end = start + 1;
  while (isNameCharacter(text.charAt(end)) && text.charAt(end) !== '.') end += 1;
  const name = text.slice(start + 1, end);
  if (name === '') refuse({ start, end }, 'a $ stands before the name of a system property, or in $body');
  if (name.toLowerCase() === 'body') return { kind: 'body', ...scanPath(text, start, end) };
  return { kind: 'system', name, start, end };
}

function refuseStray(text: string, start: number): never {
  const character = String.fromCodePoint(text.codePointAt(start) ?? 0);
  const span = { start, end: start + character.length };
  if (isTypographicQuote(character)) refuse(span, `${character} is not a quote here: write " or '`);
  const advice = STRAY[character] ?? 'it has no meaning in a route';
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  const shown = isVisible(character) ? character : `the character U+${code}`;
  return refuse(span, `${shown} cannot stand here: ${advice}`);
}
