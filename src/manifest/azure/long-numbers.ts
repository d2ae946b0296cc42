import { isExactNumber } from '../json/exact-number.ts';
import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import type { AddRemark } from './remark.ts';

/** Text of a JSON number that would lose digits as a JavaScript number. */
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
 * Parses a JSON object. A number that would lose digits becomes a LongNumber. Callers must check the nesting
 * depth of the text first, because JSON.parse with a reviver is recursive. Throws the errors of JSON.parse.
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

/** Removes each field whose value is or contains a LongNumber. Adds a remark for each removed field. */
export function withoutLongNumbers(object: JsonObject, path: string, remark: AddRemark): JsonObject {
  const remaining = Object.entries(object).flatMap(([name, value]): [string, unknown][] => {
    const fieldPath = `${path}.${name}`;
    if (value instanceof LongNumber) {
      remark(
        fieldPath,
        `is left out: ${value.text} has more digits than a number can represent: write it as a string`,
      );
      return [];
    }
    if (Array.isArray(value) && hasLongNumber(value)) {
      remark(
        fieldPath,
        'is left out: it contains a number with more digits than a number can represent: write it as a string',
      );
      return [];
    }
    return [[name, isJsonObject(value) ? withoutLongNumbers(value, fieldPath, remark) : value]];
  });
  return Object.fromEntries(remaining);
}

function hasLongNumber(value: unknown): boolean {
  if (value instanceof LongNumber) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasLongNumber);
}
