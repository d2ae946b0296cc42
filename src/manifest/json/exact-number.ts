/**
 * Whether a number of JSON keeps its value: it is finite and, if it is written as an integer, is read and written back
 * without loss, which many of 64 bits are not. True for `true`, `false` and `null`.
 */
export function isKept(text: string): boolean {
  if (!/^-?\d/.test(text)) return true;
  const number = Number(text);
  if (!Number.isFinite(number)) return false;
  return !/^-?\d+$/.test(text) || Number.isSafeInteger(number) || String(number) === text;
}
