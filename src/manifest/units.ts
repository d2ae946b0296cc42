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
  if (typeof value === 'number') return value >= 0 ? exact(value * 1000) : undefined;
  return measure(value, DURATIONS);
}

/** Bytes of `"512M"`, `"64K"`, or of a plain number of bytes; undefined: neither. */
export function sizeOf(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? exact(value) : undefined;
  return measure(value, SIZES);
}

/** The milliseconds as people write them: `"7d"`. */
export function durationText(milliseconds: number): string {
  return inUnits(milliseconds, DURATIONS);
}

/** The bytes as people write them: `"512M"`. */
export function sizeText(bytes: number): string {
  return inUnits(bytes, SIZES);
}

function measure(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const parts = /^(\d{1,16}(?:\.\d{1,6})?) ?([A-Za-z]{0,2})$/.exec(text);
  const factor = units[parts?.[2] ?? 'none'];
  return parts === null || factor === undefined ? undefined : exact(Number(parts[1]) * factor);
}

/** The whole number next to it, if there is one that counts exactly. */
function exact(value: number): number | undefined {
  return value <= Number.MAX_SAFE_INTEGER ? Math.round(value) : undefined;
}

/** In the largest unit of which it is a whole number; the units rise. */
function inUnits(value: number, units: Readonly<Record<string, number>>): string {
  const largest = Object.entries(units).findLast(([, factor]) => value >= factor && value % factor === 0);
  const [unit, factor] = largest ?? Object.entries(units)[0] ?? ['', 1];
  return `${value / factor}${unit}`;
}
