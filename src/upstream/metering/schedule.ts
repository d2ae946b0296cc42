import { MIN_PLAUSIBLE_TIME_MS } from '../../core/limits.ts';
import type { TimeOfDay } from '../../manifest/types.ts';

/**
 * Returns true if the local time is within one of the periods. Also returns true if no periods are defined or
 * if the clock is not set.
 */
export function isScheduled(times: readonly TimeOfDay[], wall: number): boolean {
  if (times.length === 0 || wall < MIN_PLAUSIBLE_TIME_MS) return true;
  const now = new Date(wall);
  const minute = now.getHours() * 60 + now.getMinutes();
  return times.some(({ from, to }) =>
    from <= to ? from <= minute && minute < to : minute >= from || minute < to,
  );
}
