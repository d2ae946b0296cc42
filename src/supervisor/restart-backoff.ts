import { backoffMs } from '../core/async/backoff.ts';
import type { BackoffSpec } from './spec.ts';

export type Backoff = {
  /** Number of exits in a row, each after a run that was too short to count as stable. */
  readonly ends: number;
  /** Milliseconds until the next start. */
  readonly delay: number;
};

/**
 * Returns the exponential restart back-off after an exit. `ends` is the number of earlier exits in a row.
 * `ranFor` is the length of the last run in milliseconds. If the last run was at least `spec.forgivenAfter`
 * long, it was stable, and the delay is 0.
 */
export function nextBackoff(ends: number, ranFor: number, spec: BackoffSpec): Backoff {
  if (ranFor >= spec.forgivenAfter) return { ends: 0, delay: 0 };
  return { ends: ends + 1, delay: backoffMs(ends, { initialMs: spec.first, maxMs: spec.most }, spec.factor) };
}
