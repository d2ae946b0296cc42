import type { Random } from '../core/random.ts';
import {
  RECONNECT_DELAY_FIRST,
  RECONNECT_DELAY_LEAST,
  RECONNECT_DELAY_MOST,
} from '../core/upstream-limits.ts';

/**
 * Milliseconds before the try after so many that failed: anywhere below a bound that doubles up to a cap, so that a whole
 * site that lost its upstream, or its power, in one moment does not come back in one moment.
 */
export function retryDelay(failures: number, random: Random): number {
  const bound = Math.min(RECONNECT_DELAY_FIRST * 2 ** Math.min(failures, 30), RECONNECT_DELAY_MOST);
  return Math.max(RECONNECT_DELAY_LEAST, bound * random.fraction());
}
