import type { Clock } from '../core/clock.ts';
import { reasonOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { createRate } from './rate.ts';
import type { ForwarderStatus } from './settings.ts';

/** What became of messages and connections, for people. */
export type Tally = {
  readonly taken: () => void;
  readonly refused: (reason: string) => void;
  /** A connection failed. */
  readonly failed: (thrown: unknown) => void;
  readonly status: () => Omit<ForwarderStatus, 'state' | 'address' | 'version' | 'pause'>;
};

export function createTally(clock: Pick<Clock, 'monotonic'>, log: Log): Tally {
  const rate = createRate(clock);
  let delivered = 0;
  let refused = 0;
  let lastRefusal: string | undefined;
  let lastError: { readonly text: string; readonly at: number } | undefined;
  return {
    taken: () => {
      delivered++;
      rate.count();
    },
    refused: reason => {
      refused++;
      if (lastRefusal !== reason) log.warn(`A message is not taken: ${reason}.`);
      lastRefusal = reason;
    },
    failed: thrown => {
      const text = reasonOf(thrown);
      if (lastError?.text !== text) log.warn(`${text} Messages wait in the queue; trying again.`);
      lastError = { text, at: clock.monotonic() };
    },
    status: () => ({
      delivered,
      rate: rate.now(),
      refused,
      lastRefusal,
      lastError: lastError?.text,
      lastErrorAge: lastError && clock.monotonic() - lastError.at,
    }),
  };
}
