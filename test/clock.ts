import type { Clock } from '../src/core/clock.ts';

type Timer = { readonly due: number; readonly action: () => void };

/** A clock that only a test moves. */
export type TestClock = Clock & {
  /** Lets `milliseconds` pass; what falls due meanwhile is run in its order, at its time. */
  readonly advance: (milliseconds: number) => void;
  /** Lets the wall clock jump by `milliseconds`; monotonic time stays. */
  readonly jump: (milliseconds: number) => void;
  /** Timers that are set and neither ran nor were cancelled. */
  readonly pending: () => number;
};

/** Its monotonic time begins at 0, its wall time at `wall` (milliseconds since 1970). */
export function createTestClock(wall: number = Date.UTC(2026, 0, 1)): TestClock {
  const timers = new Set<Timer>();
  let now = 0;
  let jumped = 0;

  const nextDue = (until: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.due <= until && timer.due < (first?.due ?? Number.POSITIVE_INFINITY)) first = timer;
    }
    return first;
  };

  return {
    monotonic: () => now,
    wall: () => wall + jumped + now,
    after: (milliseconds, action) => {
      const timer = { due: now + milliseconds, action };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
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
    jump: milliseconds => {
      jumped += milliseconds;
    },
    pending: () => timers.size,
  };
}
