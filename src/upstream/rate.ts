import type { Clock } from '../core/clock.ts';

/** Length in milliseconds of one interval, and the number of complete intervals that are kept. */
const SPAN = 10_000;
const SPANS = 6;

/** Rate of events over the last minute. */
export type Rate = {
  readonly count: () => void;
  /** Events per second. */
  readonly now: () => number;
};

export function createRate(clock: Pick<Clock, 'monotonic'>): Rate {
  const began = clock.monotonic();
  const counts: number[] = [0];
  let span = 0;

  const turn = (): void => {
    const current = Math.floor((clock.monotonic() - began) / SPAN);
    const passed = Math.min(current - span, SPANS);
    for (let step = 0; step < passed; step++) counts.unshift(0);
    counts.length = Math.min(counts.length, SPANS);
    span = current;
  };

  return {
    count: () => {
      turn();
      counts[0] = (counts[0] ?? 0) + 1;
    },
    now: () => {
      turn();
      const sinceTurn = clock.monotonic() - began - span * SPAN;
      const seconds = ((counts.length - 1) * SPAN + sinceTurn) / 1000;
      return counts.reduce((sum, one) => sum + one, 0) / Math.max(seconds, 1);
    },
  };
}
