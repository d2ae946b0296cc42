export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns true if a value has at most `max` levels of nested objects and arrays. */
export function nestsWithin(value: unknown, max: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return max > 0 && Object.values(value).every(inner => nestsWithin(inner, max - 1));
}

/** Returns true if any object in a value has a field with one of these names. */
export function hasName(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => names.includes(name) || hasName(inner, names));
}
