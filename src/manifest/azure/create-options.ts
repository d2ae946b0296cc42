import { isJsonObject, type JsonObject, nestsWithin } from '../json/json-object.ts';
import { MAX_DEPLOYMENT_NESTING } from '../limits.ts';
import type { AddRemark } from './remark.ts';

/**
 * Pattern of the names of fields that contain Docker options. A module twin (settings of a module in Azure)
 * limits strings to 512 characters. A longer string continues in the fields `createOptions01`,
 * `createOptions02` and so on.
 */
const PART = /^createOptions(\d{2})?$/;

/**
 * Returns the Docker options of a module. A deployment contains Docker options as an object, or as JSON in
 * one or more strings.
 */
export function createOptionsOf(settings: JsonObject, path: string, remark: AddRemark): JsonObject {
  const parts = Object.entries(settings)
    .filter(([key]) => PART.test(key))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  for (const key of Object.keys(settings)) {
    if (key.startsWith('createOptions') && !PART.test(key)) remark(`${path}.${key}`, 'is an unknown field');
  }
  const [first, ...more] = parts.map(([, value]) => value);
  if (isJsonObject(first) && more.length === 0) return first;
  const text = parts.map(([, value]) => (typeof value === 'string' ? value : '')).join('');
  if (text.trim() === '') return {};
  const options = parseOptions(text);
  if (options !== undefined) return options;
  remark(
    `${path}.createOptions`,
    'is left out, because it is not a JSON object: convert its Docker options by hand',
  );
  return {};
}

function parseOptions(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && nestsWithin(value, MAX_DEPLOYMENT_NESTING) ? value : undefined;
  } catch {
    return undefined;
  }
}
