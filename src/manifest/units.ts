const DURATIONS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZES: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Milliseconds of `"90s"`, `"2h"`, `"7d"`, or of a plain number of seconds; undefined: neither. */
export function durationOf(value: string | number): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value * 1000 : undefined;
  return measure(value, DURATIONS);
}

/** Bytes of `"512M"`, `"64K"`, or of a plain number of bytes; undefined: neither. */
export function sizeOf(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? value : undefined;
  return measure(value, SIZES);
}

function measure(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const parts = /^(\d{1,12}(?:\.\d{1,6})?) ?([A-Za-z]{0,2})$/.exec(text);
  const factor = units[parts?.[2] ?? 'none'];
  return parts === null || factor === undefined ? undefined : Number(parts[1]) * factor;
}
