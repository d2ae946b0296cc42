import type { Clock } from '../../src/core/clock.ts';

type Timer = { readonly due: number; readonly action: () => void };

/** A clock that only a test moves. */
export type TestClock = Clock & {
  /** Lets `milliseconds` pass; what falls due meanwhile is run in its order, at its time. */
  readonly advance: (milliseconds: number) => void;
  /** Lets time pass, in steps of 10 ms with a turn of the loop between them, until `promise` is settled. */
  readonly until: <Value>(promise: Promise<Value>) => Promise<Value>;
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

  const advance = (milliseconds: number): void => {
    const until = now + milliseconds;
    for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
      timers.delete(timer);
      now = Math.max(now, timer.due);
      timer.action();
    }
    now = until;
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
    advance,
    until: async promise => {
      let settled = false;
      const watched = promise.finally(() => {
        settled = true;
      });
      while (!settled) {
        advance(10);
        await new Promise(resolve => setImmediate(resolve));
      }
      return watched;
    },
    jump: milliseconds => {
      jumped += milliseconds;
    },
    pending: () => timers.size,
  };
}
