import { isKept } from '../json/exact-number.ts';
import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import type { Tell } from './remark.ts';

/** A number as it is written, because a number of JavaScript would lose digits of it. */
export class LongNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): string {
    return this.text;
  }
}

/** Parses JSON of an object that nests within a bound, for a reviver takes stack; a number that would lose digits becomes a LongNumber. Throws what JSON.parse throws. */
export function parseExactly(text: string): JsonObject {
  const value: unknown = JSON.parse(
    text,
    (_key: string, value: unknown, context?: { readonly source?: string }) => {
      const { source } = context ?? {};
      return typeof value === 'number' && source !== undefined && !isKept(source)
        ? new LongNumber(source)
        : value;
    },
  );
  return isJsonObject(value) ? value : {};
}

/** The fields of `object` without those whose value is, or whose list contains, a LongNumber: each is a remark. */
export function withoutLongNumbers(object: JsonObject, path: string, tell: Tell): JsonObject {
  const kept = Object.entries(object).flatMap(([name, value]): [string, unknown][] => {
    const at = `${path}.${name}`;
    if (value instanceof LongNumber) {
      tell(at, `is left out: ${value.text} has more digits than a number keeps: write it as a text`);
      return [];
    }
    if (Array.isArray(value) && hasLongNumber(value)) {
      tell(
        at,
        'is left out: it contains a number with more digits than a number keeps: write that as a text',
      );
      return [];
    }
    return [[name, isJsonObject(value) ? withoutLongNumbers(value, at, tell) : value]];
  });
  return Object.fromEntries(kept);
}

function hasLongNumber(value: unknown): boolean {
  if (value instanceof LongNumber) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasLongNumber);
}
