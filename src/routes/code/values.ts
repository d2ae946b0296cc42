/* What compiled conditions do with values of a body in the default dialect: JSON values, undefined where there are none. */

/** `=` of two; undefined if either is, or if both are objects or arrays, which are not compared. */
export function same(left: unknown, right: unknown): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  return isStructure(left) && isStructure(right) ? undefined : left === right;
}

/** -1, 0 or 1 of two numbers or two strings, by their UTF-16 units; else NaN, which no comparison holds of. */
export function order(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number')
    return left < right ? -1 : left === right ? 0 : 1;
  if (typeof left === 'string' && typeof right === 'string')
    return left < right ? -1 : left === right ? 0 : 1;
  return Number.NaN;
}

/** What stands at `key` of an object; own members only. */
export function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** What stands at `index` of an array. */
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
 * Whether `value[key]` finds what `member` finds, whatever body holds `value`: no prototype has such a member, and it
 * is no index.
 */
export function isPlainKey(key: string): boolean {
  const prototypes = [Object, Array, String, Number, Boolean].map(({ prototype }) => prototype);
  return !prototypes.some(prototype => key in prototype) && !/^\d/.test(key);
}
