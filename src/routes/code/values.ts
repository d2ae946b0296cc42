/*
 * Functions of compiled conditions for body values in the default dialect. A body value is any JSON value, or
 * undefined if the body does not contain the value.
 */

/**
 * Returns true if two values are equal. Returns undefined if a value is undefined. Also returns undefined for
 * two objects or arrays, because objects and arrays are not compared.
 */
export function same(left: unknown, right: unknown): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  return isStructure(left) && isStructure(right) ? undefined : left === right;
}

/**
 * Returns the order of two numbers or two strings (by UTF-16 units) as -1, 0 or 1. Returns NaN for all other
 * values, so that no comparison is true.
 */
export function order(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number')
    return left < right ? -1 : left === right ? 0 : 1;
  if (typeof left === 'string' && typeof right === 'string')
    return left < right ? -1 : left === right ? 0 : 1;
  return Number.NaN;
}

/** Returns the own member `key` of an object. */
export function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Returns the element `index` of an array. */
export function element(value: unknown, index: number): unknown {
  return Array.isArray(value) ? value[index] : undefined;
}

export function isStructure(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return isStructure(value) && !Array.isArray(value);
}

/**
 * Returns true if `value[key]` equals `member(value, key)` for every body value: no prototype has a member
 * `key`, and `key` is not an array index.
 */
export function isPlainKey(key: string): boolean {
  const prototypes = [Object, Array, String, Number, Boolean].map(({ prototype }) => prototype);
  return !prototypes.some(prototype => key in prototype) && !/^\d/.test(key);
}
