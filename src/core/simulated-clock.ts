import type { Clock } from './clock.ts';

type Timer = { readonly due: number; readonly action: () => void };

/** Clock that its owner advances. */
export type SimulatedClock = Clock & {
  /** Advances the clock by `milliseconds` and runs all timers that become due, in their order. */
  readonly advance: (milliseconds: number) => void;
  /** Returns the number of timers that neither ran nor were cancelled. */
  readonly pending: () => number;
};

/** Creates a clock whose monotonic time begins at 0. `wall` returns the wall time of this beginning. */
export function createSimulatedClock(wall: () => number): SimulatedClock {
  const timers = new Set<Timer>();
  let now = 0;
  const nextDue = (until: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers)
      if (timer.due <= until && timer.due < (first?.due ?? Number.POSITIVE_INFINITY)) first = timer;
    return first;
  };
  return {
    monotonic: () => now,
    wall: () => wall() + now,
    after: (milliseconds, action) => {
      const timer = { due: now + milliseconds, action };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance: milliseconds => {
      const until = now + milliseconds;
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        timers.delete(timer);
        now = Math.max(now, timer.due);
        timer.action();
      }
      now = until;
    },
    pending: () => timers.size,
  };
}
