/*
 * What compiled conditions do with values of a body in the default dialect: JSON values, undefined where
 * there are none.
 */

/**
 * Equality. Undefined if either value is undefined, or both are objects or arrays, which are not compared.
 */
export function same(left: unknown, right: unknown): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  return isStructure(left) && isStructure(right) ? undefined : left === right;
}

/**
 * Order of two numbers or two strings by UTF-16 units as -1, 0 or 1; otherwise NaN, for which no comparison
 * holds.
 */
export function order(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number')
    return left < right ? -1 : left === right ? 0 : 1;
  if (typeof left === 'string' && typeof right === 'string')
    return left < right ? -1 : left === right ? 0 : 1;
  return Number.NaN;
}

/** Own member `key` of an object. */
export function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Element `index` of an array. */
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
 * Tells if `value[key]` equals `member(value, key)` for any body value: no prototype has such a member and it
 * is not an index.
 */
export function isPlainKey(key: string): boolean {
  const prototypes = [Object, Array, String, Number, Boolean].map(({ prototype }) => prototype);
  return !prototypes.some(prototype => key in prototype) && !/^\d/.test(key);
}
