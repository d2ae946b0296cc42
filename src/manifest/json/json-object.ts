export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tells if objects and arrays nest at most `max` levels. Stops below that depth. */
export function nestsWithin(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return most > 0 && Object.values(value).every(inner => nestsWithin(inner, most - 1));
}

/** Tells if any object in a value has a field with one of these names. */
export function hasName(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => names.includes(name) || hasName(inner, names));
}
