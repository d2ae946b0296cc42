import { MAX_DEPLOYMENT_NESTING } from '../../core/limits.ts';
import { isJsonObject, type JsonObject, nestsWithin } from '../json/json-object.ts';
import type { Tell } from './remark.ts';

/** A twin holds texts of 512 characters, so a longer one goes on in `createOptions01`, `createOptions02` and so on. */
const PART = /^createOptions(\d{2})?$/;

/** What a module's settings tell Docker: a text, in parts, or the object itself. */
export function createOptionsOf(settings: JsonObject, path: string, tell: Tell): JsonObject {
  const parts = Object.entries(settings)
    .filter(([key]) => PART.test(key))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  for (const key of Object.keys(settings)) {
    if (key.startsWith('createOptions') && !PART.test(key))
      tell(`${path}.${key}`, 'is no field that this import knows');
  }
  const [first, ...more] = parts.map(([, value]) => value);
  if (isJsonObject(first) && more.length === 0) return first;
  const text = parts.map(([, value]) => (typeof value === 'string' ? value : '')).join('');
  if (text.trim() === '') return {};
  const options = parsed(text);
  if (options !== undefined) return options;
  tell(
    `${path}.createOptions`,
    'is left out, for it is no JSON object: what it should tell Docker must be looked up there',
  );
  return {};
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && nestsWithin(value, MAX_DEPLOYMENT_NESTING) ? value : undefined;
  } catch {
    return undefined;
  }
}
