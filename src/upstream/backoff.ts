import type { Random } from '../core/random.ts';
import { INITIAL_RECONNECT_DELAY_MS, MAX_RECONNECT_DELAY_MS, MIN_RECONNECT_DELAY_MS } from './limits.ts';

/**
 * Milliseconds before the try after so many that failed: anywhere below a bound that doubles up to a cap, so that a whole
 * site that lost its upstream, or its power, in one moment does not come back in one moment.
 */
export function retryDelay(failures: number, random: Random): number {
  const bound = Math.min(INITIAL_RECONNECT_DELAY_MS * 2 ** Math.min(failures, 30), MAX_RECONNECT_DELAY_MS);
  return Math.max(MIN_RECONNECT_DELAY_MS, bound * random.fraction());
}
