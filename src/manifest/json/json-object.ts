export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether at most `most` objects and lists lie within each other; looks no deeper than that. */
export function nestsWithin(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return most > 0 && Object.values(value).every(inner => nestsWithin(inner, most - 1));
}

/** Whether some object in it has a field of one of these names. */
export function hasName(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => names.includes(name) || hasName(inner, names));
}
