/** Names that cannot be field names of a manifest, because valibot silently drops fields with these names. */
const UNUSABLE = ['__proto__', 'prototype', 'constructor'];

export const NAME_RULE = 'a name must be 1 to 64 letters, digits, "_" or "-"';

/** Returns true if a name is valid for a module. */
export function isName(text: string): boolean {
  return isUsableKey(text) && /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** Returns true if a name is valid for an environment variable. */
export function isVariable(text: string): boolean {
  return isUsableKey(text) && /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

/** Returns true if a name can be a field name of a manifest. */
export function isUsableKey(text: string): boolean {
  return !UNUSABLE.includes(text);
}
