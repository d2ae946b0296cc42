import { numberFrom } from '../syntax/numerals.ts';
import type { Text } from './texts.ts';

/* What compiled conditions do with numbers. NaN is the number that is undefined. */

export function square(value: number): number {
  return value * value;
}

/** As IEEE 754 has it, where JavaScript makes 1 to the infinite, and -1 to it, undefined. */
export function power(base: number, exponent: number): number {
  if (Number.isNaN(base) || Number.isNaN(exponent)) return Number.NaN;
  if (base === 1 || (base === -1 && !Number.isFinite(exponent))) return 1;
  return base ** exponent;
}

/** The number that a string holds in decimal. */
export function numberOf(text: Text): number {
  return typeof text === 'string' ? numberFrom(text) : Number.NaN;
}

/** A number as it is, a string as the number that it holds. */
export function numberOfAny(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? numberFrom(value) : Number.NaN;
}
