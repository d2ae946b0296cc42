import { backoffMs } from '../core/async/backoff.ts';
import type { Random } from '../core/random.ts';
import { INITIAL_RECONNECT_DELAY_MS, MAX_RECONNECT_DELAY_MS, MIN_RECONNECT_DELAY_MS } from './limits.ts';

/**
 * Delay in milliseconds before the next attempt: exponential back-off with full jitter, so that the hubs of a
 * site do not all reconnect in the same moment after an outage.
 */
export function retryDelay(failures: number, random: Random): number {
  const bound = backoffMs(failures, { initialMs: INITIAL_RECONNECT_DELAY_MS, maxMs: MAX_RECONNECT_DELAY_MS });
  return Math.max(MIN_RECONNECT_DELAY_MS, bound * random.fraction());
}
