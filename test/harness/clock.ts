import type { SimulatedClock } from '../../src/core/simulated-clock.ts';
import { createSimulatedClock } from '../../src/core/simulated-clock.ts';

/** A clock that only a test moves. */
export type TestClock = SimulatedClock & {
  /** Lets time pass, in steps of 10 ms with a turn of the loop between them, until `promise` is settled. */
  readonly until: <Value>(promise: Promise<Value>) => Promise<Value>;
  /** Lets the wall clock jump by `milliseconds`. Monotonic time stays. */
  readonly jump: (milliseconds: number) => void;
};

/** Its monotonic time begins at 0, its wall time at `wall` (milliseconds since 1970). */
export function createTestClock(wall: number = Date.UTC(2026, 0, 1)): TestClock {
  let jumped = 0;
  const clock = createSimulatedClock(() => wall + jumped);
  return {
    ...clock,
    until: async promise => {
      let settled = false;
      const watched = promise.finally(() => {
        settled = true;
      });
      while (!settled) {
        clock.advance(10);
        await new Promise(resolve => setImmediate(resolve));
      }
      return watched;
    },
    jump: milliseconds => {
      jumped += milliseconds;
    },
  };
}
