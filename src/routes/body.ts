import type { Step } from './tree.ts';
import { bodyPart, type Compiled } from './values.ts';

/**
 * The value at `path` of a body; undefined where there is none. An index reaches into arrays and a key into
 * objects, own ones only: `$body.constructor` and the `length` of an array are not in any body.
 */
export function bodyValue(path: readonly Step[]): Compiled {
  return bodyPart(subject => {
    let value = subject.body();
    for (const step of path)
      value = typeof step === 'number' ? elementOf(value, step) : memberOf(value, step);
    return Number.isNaN(value) ? undefined : value;
  });
}

function elementOf(value: unknown, index: number): unknown {
  return Array.isArray(value) ? value[index] : undefined;
}

function memberOf(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
