import type { Clock } from '../core/clock.ts';

/** Length of one counting interval in milliseconds. */
const INTERVAL_MS = 10_000;

/** Number of intervals whose counts are stored. */
const INTERVALS = 6;

/** Rate of events over the last minute. */
export type Rate = {
  readonly count: () => void;
  /** Events per second. */
  readonly now: () => number;
};

export function createRate(clock: Pick<Clock, 'monotonic'>): Rate {
  const began = clock.monotonic();
  /** Number of events in each interval, from the current interval to the oldest. */
  const counts: number[] = [0];
  let interval = 0;

  const advance = (): void => {
    const current = Math.floor((clock.monotonic() - began) / INTERVAL_MS);
    const passed = Math.min(current - interval, INTERVALS);
    for (let step = 0; step < passed; step++) counts.unshift(0);
    counts.length = Math.min(counts.length, INTERVALS);
    interval = current;
  };

  return {
    count: () => {
      advance();
      counts[0] = (counts[0] ?? 0) + 1;
    },
    now: () => {
      advance();
      const intervalAge = clock.monotonic() - began - interval * INTERVAL_MS;
      const seconds = ((counts.length - 1) * INTERVAL_MS + intervalAge) / 1000;
      return counts.reduce((sum, events) => sum + events, 0) / Math.max(seconds, 1);
    },
  };
}
