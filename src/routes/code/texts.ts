import { MAX_JOINED } from '../limits.ts';
import { positionOf } from './search.ts';

/*
 * String functions of compiled conditions. If an operand is undefined or null, a function that returns a
 * number returns NaN, and all other functions return undefined.
 */

/** String value. Null or undefined if there is no value. */
export type Text = string | null | undefined;

/**
 * Returns the value of the property `name` in a flat list of names and values. If several properties have
 * this name, the last one counts. Returns undefined if the value is missing.
 */
export function property(properties: readonly Text[], name: string): string | undefined {
  for (let at = properties.length - 2; at >= 0; at -= 2) {
    if (properties[at] === name) return properties[at + 1] ?? undefined;
  }
  return undefined;
}

/**
 * Returns the value of a property. `name` is in lower case, and the case of property names is ignored.
 * Returns null for a property without a value.
 */
export function propertyInAnyCase(properties: readonly Text[], name: string): Text {
  for (let at = properties.length - 2; at >= 0; at -= 2) {
    const candidate = properties[at];
    if (candidate?.length === name.length && candidate.toLowerCase() === name) return properties[at + 1];
  }
  return undefined;
}

export function lengthOf(text: Text): number {
  return typeof text === 'string' ? text.length : Number.NaN;
}

export function lower(text: Text): string | undefined {
  return typeof text === 'string' ? mapped(text, text.toLowerCase(), unit => unit.toLowerCase()) : undefined;
}

export function upper(text: Text): string | undefined {
  return typeof text === 'string' ? mapped(text, text.toUpperCase(), unit => unit.toUpperCase()) : undefined;
}

/**
 * Changes the case of each character separately, independently of the characters around it. A character whose
 * other case has more than one character stays unchanged.
 */
function mapped(text: string, whole: string, map: (character: string) => string): string {
  if (isAscii(text)) return whole;
  let result = '';
  for (const character of text) {
    const other = map(character);
    result += other.length === character.length ? other : character;
  }
  return result;
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

export function indexOf(text: Text, part: Text): number {
  return typeof text === 'string' && typeof part === 'string' ? positionOf(text, part) : Number.NaN;
}

export function contains(text: Text, part: Text): boolean | undefined {
  return typeof text === 'string' && typeof part === 'string' ? positionOf(text, part) >= 0 : undefined;
}

export function startsWith(text: Text, part: Text): boolean | undefined {
  return typeof text === 'string' && typeof part === 'string' ? text.startsWith(part) : undefined;
}

export function endsWith(text: Text, part: Text): boolean | undefined {
  return typeof text === 'string' && typeof part === 'string' ? text.endsWith(part) : undefined;
}

/**
 * Returns the substring from a zero-based position to the end. If the position is not an integer, the
 * fraction is dropped.
 */
export function tail(text: Text, from: number): string | undefined {
  if (typeof text !== 'string' || !(from >= 0 && from <= text.length)) return undefined;
  return text.slice(Math.trunc(from));
}

/**
 * Returns the substring of `count` UTF-16 units from a position. Returns undefined if the position or the
 * count is outside the text.
 */
export function part(text: Text, from: number, count: number): string | undefined {
  if (typeof text !== 'string' || !(from >= 0 && from < text.length)) return undefined;
  if (!(count >= 0 && count <= text.length - from)) return undefined;
  return text.slice(Math.trunc(from), Math.trunc(from) + Math.trunc(count));
}

/**
 * Joins strings. Throws `RangeError` if the result is longer than `MAX_JOINED`. The result of the condition
 * is then `error`.
 */
export function joined(...texts: readonly Text[]): string | undefined {
  let whole = '';
  for (const text of texts) {
    if (text === undefined) return undefined;
    whole += text ?? '';
    if (whole.length > MAX_JOINED) throw new RangeError(`a joined string is longer than ${MAX_JOINED}`);
  }
  return whole;
}
