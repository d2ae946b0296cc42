/**
 * Tells if a JSON number is represented exactly: it is finite, and an integer is read and written back
 * without loss, unlike many 64-bit integers. True for `true`, `false` and `null`.
 */
export function isExactNumber(text: string): boolean {
  if (!/^-?\d/.test(text)) return true;
  const number = Number(text);
  if (!Number.isFinite(number)) return false;
  return !/^-?\d+$/.test(text) || Number.isSafeInteger(number) || String(number) === text;
}
