/** Names that cannot be keys of a manifest, because valibot drops them silently. */
const UNKEPT = ['__proto__', 'prototype', 'constructor'];

export const NAME_RULE = 'a name must be 1 to 64 letters, digits, "_" or "-"';

/** Tells if a name is valid for a module. */
export function isName(text: string): boolean {
  return isUsableKey(text) && /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** Tells if a name is valid for an environment variable. */
export function isVariable(text: string): boolean {
  return isUsableKey(text) && /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

export function isUsableKey(text: string): boolean {
  return !UNKEPT.includes(text);
}
