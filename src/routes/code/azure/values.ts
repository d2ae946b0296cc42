import type { Subject } from '../../subject.ts';
import type { PathStep } from '../../tree.ts';
import type { Text } from '../texts.ts';
import { element, isObject, isStructure, member } from '../values.ts';
import { numberFromAny } from './numerals.ts';

/*
 * Functions for body values with the semantics of Azure IoT Edge. A missing value counts as null, except for
 * `is_null`. Objects, arrays and dates count as undefined. A property without a value counts as a string.
 */

/**
 * Body value for a path that does not exist in the body. This value counts as null, except for `is_null` and
 * `twin_change_includes`.
 */
const MISSING: unique symbol = Symbol('missing');

/** Body value that represents a property without a value. */
const NO_TEXT: unique symbol = Symbol('no text');

const ENCODINGS = new Set(['utf-8', 'utf-16', 'utf-32']);
const JSON_TYPE = 'application/json';

/**
 * Returns the body of a message. Returns undefined if content type and encoding do not declare JSON, or if
 * the body is not a JSON object.
 */
export function bodyOf(subject: Subject): unknown {
  if (subject.system('contentType')?.toLowerCase() !== JSON_TYPE) return undefined;
  if (!ENCODINGS.has(subject.system('contentEncoding')?.toLowerCase() ?? '')) return undefined;
  const body = subject.body();
  return isObject(body) ? body : undefined;
}

/** Returns the value at `path` of a body. Returns undefined for an object, an array or a date. */
export function valueAt(body: unknown, path: readonly PathStep[]): unknown {
  const found = foundAt(body, path);
  if (isStructure(found)) return undefined;
  return typeof found === 'string' && isDate(found) ? undefined : found;
}

/** Returns true if `path` exists in the body. Returns undefined if there is no body. */
export function includes(body: unknown, path: readonly PathStep[]): boolean | undefined {
  return body === undefined ? undefined : foundAt(body, path) !== MISSING;
}

function foundAt(body: unknown, path: readonly PathStep[]): unknown {
  if (body === undefined) return undefined;
  let value: unknown = body;
  for (const step of path) {
    value = typeof step === 'number' ? element(value, step) : member(value, step);
    if (value === undefined) return MISSING;
  }
  return value;
}

/** Converts a string to a body value. */
export function anyOfText(text: Text): unknown {
  return text === null ? NO_TEXT : text;
}

/** Converts a body value to a string. */
export function textOfAny(value: unknown): Text {
  if (value === NO_TEXT) return null;
  return typeof value === 'string' ? value : undefined;
}

/**
 * Returns the order of two values as -1, 0 or 1. Returns NaN if a value is undefined. Values of different
 * types are ordered by type. The value NaN is less than all other numbers.
 */
export function order(left: unknown, right: unknown): number {
  if (left === undefined || right === undefined) return Number.NaN;
  const ranks = Math.sign(rankOf(left) - rankOf(right));
  if (ranks !== 0) return ranks;
  if (typeof left === 'number' && typeof right === 'number') return orderOfNumbers(left, right);
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (rankOf(left) !== RANK_OF_STRINGS) return 0;
  return orderOfTexts(textOfAny(left) ?? undefined, textOfAny(right) ?? undefined);
}

const RANK_OF_STRINGS = 3;

function rankOf(value: unknown): number {
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'number') return 2;
  return typeof value === 'string' || value === NO_TEXT ? RANK_OF_STRINGS : RANK_OF_STRINGS + 1;
}

function orderOfNumbers(left: number, right: number): number {
  if (Number.isNaN(left) || Number.isNaN(right))
    return Number(Number.isNaN(right)) - Number(Number.isNaN(left));
  return left < right ? -1 : Number(left > right);
}

function orderOfTexts(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined)
    return Number(right === undefined) - Number(left === undefined);
  return left < right ? -1 : Number(left > right);
}

export function and(left: unknown, right: unknown): boolean | undefined {
  return typeof left === 'boolean' && typeof right === 'boolean' ? left && right : undefined;
}

export function or(left: unknown, right: unknown): boolean | undefined {
  return typeof left === 'boolean' && typeof right === 'boolean' ? left || right : undefined;
}

/**
 * Implements `is_null` as in Azure IoT Edge, where the result is inverted: false for a missing value, and
 * true for every other value.
 */
export function isNull(value: unknown): boolean | undefined {
  return value === undefined ? undefined : value !== MISSING;
}

export function isBoolean(value: unknown): boolean | undefined {
  return value === undefined ? undefined : typeof value === 'boolean';
}

export function numberOfAny(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? numberFromAny(value) : Number.NaN;
}

/** Arithmetic operators for body values. If an operand is not a number, the result is undefined. */
export const ARITHMETIC: Readonly<Record<string, (left: unknown, right: unknown) => number | undefined>> = {
  '+': (left, right) => (areNumbers(left, right) ? Number(left) + Number(right) : undefined),
  '-': (left, right) => (areNumbers(left, right) ? Number(left) - Number(right) : undefined),
  '*': (left, right) => (areNumbers(left, right) ? Number(left) * Number(right) : undefined),
  '/': (left, right) => (areNumbers(left, right) ? Number(left) / Number(right) : undefined),
};

function areNumbers(left: unknown, right: unknown): boolean {
  return typeof left === 'number' && typeof right === 'number';
}

/**
 * Returns true for a text that the JSON reader of Azure IoT Edge converts to a date: ISO 8601 with a time.
 */
function isDate(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:?\d\d)?$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  );
}
