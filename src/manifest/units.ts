/** Milliseconds of each unit of time, in ascending order. */
const DURATIONS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Bytes of each unit of size, in ascending order. */
const SIZES: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/**
 * Parses a duration such as `"90s"`, `"2h"` or `"7d"`, or a number of seconds. Returns milliseconds, or
 * undefined if the duration is invalid.
 */
export function durationOf(value: string | number): number | undefined {
  if (typeof value === 'number') return value >= 0 ? safeInteger(value * 1000) : undefined;
  return parseWithUnit(value, DURATIONS);
}

/**
 * Parses a size such as `"512M"`, or a number of bytes. Returns bytes, or undefined if the size is invalid.
 */
export function sizeOf(value: string | number): number | undefined {
  if (typeof value === 'number')
    return Number.isInteger(value) && value >= 0 ? safeInteger(value) : undefined;
  return parseWithUnit(value, SIZES);
}

/** Formats milliseconds as a duration such as `"7d"`. */
export function durationText(milliseconds: number): string {
  return formatWithUnit(milliseconds, DURATIONS);
}

/** Formats bytes as a size such as `"512M"`. */
export function sizeText(bytes: number): string {
  return formatWithUnit(bytes, SIZES);
}

function parseWithUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const parts = /^(\d{1,16}(?:\.\d{1,6})?) ?([A-Za-z]{0,2})$/.exec(text);
  const factor = units[parts?.[2] ?? 'none'];
  return parts === null || factor === undefined ? undefined : safeInteger(Number(parts[1]) * factor);
}

/** Rounds to an integer. Returns undefined if the value exceeds the safe integers. */
function safeInteger(value: number): number | undefined {
  return value <= Number.MAX_SAFE_INTEGER ? Math.round(value) : undefined;
}

/** Formats a value in the largest unit that divides the value. `units` must be in ascending order. */
function formatWithUnit(value: number, units: Readonly<Record<string, number>>): string {
  const largest = Object.entries(units).findLast(([, factor]) => value >= factor && value % factor === 0);
  const [unit, factor] = largest ?? Object.entries(units)[0] ?? ['', 1];
  return `${value / factor}${unit}`;
}
