import { isExactNumber } from '../json/exact-number.ts';
import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import type { AddRemark } from './remark.ts';

/** Number as written, because a JavaScript number would lose digits. */
export class LongNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): string {
    return this.text;
  }
}

/**
 * Parses a JSON object and keeps numbers that would lose digits as LongNumber. The nesting must be bounded,
 * because a reviver uses stack. Throws the errors of JSON.parse.
 */
export function parseExactly(text: string): JsonObject {
  const value: unknown = JSON.parse(
    text,
    (_key: string, value: unknown, context?: { readonly source?: string }) => {
      const { source } = context ?? {};
      return typeof value === 'number' && source !== undefined && !isExactNumber(source)
        ? new LongNumber(source)
        : value;
    },
  );
  return isJsonObject(value) ? value : {};
}

/** Removes fields that are or contain a LongNumber and adds a remark for each. */
export function withoutLongNumbers(object: JsonObject, path: string, remark: AddRemark): JsonObject {
  const kept = Object.entries(object).flatMap(([name, value]): [string, unknown][] => {
    const at = `${path}.${name}`;
    if (value instanceof LongNumber) {
      remark(
        at,
        `is left out: ${value.text} has more digits than a number can represent: write it as a string`,
      );
      return [];
    }
    if (Array.isArray(value) && hasLongNumber(value)) {
      remark(
        at,
        'is left out: it contains a number with more digits than a number can represent: write it as a string',
      );
      return [];
    }
    return [[name, isJsonObject(value) ? withoutLongNumbers(value, at, remark) : value]];
  });
  return Object.fromEntries(kept);
}

function hasLongNumber(value: unknown): boolean {
  if (value instanceof LongNumber) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasLongNumber);
}
