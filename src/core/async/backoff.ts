/** Limits of an exponential back-off. */
export type BackoffBounds = { readonly initialMs: number; readonly maxMs: number };

/** Returns the milliseconds before the next attempt after `failures` failed attempts in a row. */
export function backoffMs(failures: number, { initialMs, maxMs }: BackoffBounds, factor = 2): number {
  return Math.min(initialMs * factor ** failures, maxMs);
}
