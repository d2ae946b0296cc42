/** Names that a manifest cannot have as keys, whatever they stand for: valibot passes over them. */
const UNKEPT = ['__proto__', 'prototype', 'constructor'];

export const NAME_RULE = 'a name must be 1 to 64 letters, digits, "_" or "-"';

/** Whether a module may be called so. */
export function isName(text: string): boolean {
  return isKept(text) && /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** Whether a variable of an environment may be called so. */
export function isVariable(text: string): boolean {
  return isKept(text) && /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

export function isKept(text: string): boolean {
  return !UNKEPT.includes(text);
}
