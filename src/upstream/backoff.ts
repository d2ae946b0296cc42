import { backoffMs } from '../core/async/backoff.ts';
import type { Random } from '../core/random.ts';
import { INITIAL_RECONNECT_DELAY_MS, MAX_RECONNECT_DELAY_MS, MIN_RECONNECT_DELAY_MS } from './limits.ts';

/**
 * Returns the delay in milliseconds before the next connection attempt: exponential back-off with full
 * jitter. Without jitter (random delays), all hubs of a site would reconnect in the same moment after an
 * outage.
 */
export function retryDelay(failures: number, random: Random): number {
  const bound = backoffMs(failures, { initialMs: INITIAL_RECONNECT_DELAY_MS, maxMs: MAX_RECONNECT_DELAY_MS });
  return Math.max(MIN_RECONNECT_DELAY_MS, bound * random.fraction());
}
