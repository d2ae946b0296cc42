import type { BackoffSpec } from './spec.ts';

export type Backoff = {
  /** Exits in a row without a stable run in between. */
  readonly ends: number;
  /** Milliseconds until the next start. */
  readonly delay: number;
};

/**
 * Computes the exponential restart back-off after an exit. `ends` counts earlier exits in a row, `ranFor` is
 * the length of the last run in milliseconds. A stable run resets the back-off to 0.
 */
export function nextBackoff(ends: number, ranFor: number, spec: BackoffSpec): Backoff {
  if (ranFor >= spec.forgivenAfter) return { ends: 0, delay: 0 };
  return { ends: ends + 1, delay: Math.min(spec.first * spec.factor ** ends, spec.most) };
}
