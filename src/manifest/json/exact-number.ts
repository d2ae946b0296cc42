/**
 * Returns true if a JavaScript number can represent a JSON number: the number is finite, and an integer loses
 * no digits. Integers of more than 53 bits can lose digits. Also returns true for `true`, `false` and `null`.
 */
export function isExactNumber(text: string): boolean {
  if (!/^-?\d/.test(text)) return true;
  const number = Number(text);
  if (!Number.isFinite(number)) return false;
  return !/^-?\d+$/.test(text) || Number.isSafeInteger(number) || String(number) === text;
}
