import { numberFrom } from '../syntax/numerals.ts';
import type { Text } from './texts.ts';

/* Numeric functions of compiled conditions. NaN represents an undefined number. */

export function square(value: number): number {
  return value * value;
}

/**
 * Returns the power as defined by IEEE 754: an infinite power of 1 or -1 is 1. The operator `**` of
 * JavaScript returns NaN for such a power.
 */
export function power(base: number, exponent: number): number {
  if (Number.isNaN(base) || Number.isNaN(exponent)) return Number.NaN;
  if (base === 1 || (base === -1 && !Number.isFinite(exponent))) return 1;
  return base ** exponent;
}

/** Converts a decimal string to a number. */
export function numberOf(text: Text): number {
  return typeof text === 'string' ? numberFrom(text) : Number.NaN;
}

/** Converts a number or a decimal string to a number. */
export function numberOfAny(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? numberFrom(value) : Number.NaN;
}
