import type { Clock } from '../../../core/clock.ts';

type Timer = { readonly due: number; readonly action: () => void };

/** Clock that the caller advances. */
export type SimulatedClock = Clock & {
  /** Advances the clock by `milliseconds` and runs all timers that become due, in their order. */
  readonly advance: (milliseconds: number) => void;
};

export function createSimulatedClock(): SimulatedClock {
  const start = Date.now();
  const timers = new Set<Timer>();
  let now = 0;
  const nextDue = (until: number): Timer | undefined =>
    [...timers].filter(({ due }) => due <= until).sort((one, other) => one.due - other.due)[0];
  return {
    monotonic: () => now,
    wall: () => start + now,
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
  };
}
