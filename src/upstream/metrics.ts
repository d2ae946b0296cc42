import type { Clock } from '../core/clock.ts';
import { reasonOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { createRate } from './rate.ts';
import type { ForwarderStatus } from './settings.ts';

/** Counters and last errors that the status of an upstream shows. */
export type UpstreamMetrics = {
  /** Counts a message that the server acknowledged. */
  readonly taken: () => void;
  /** Counts a message that the server or the encoder rejected. */
  readonly refused: (reason: string) => void;
  /** Records that the server acknowledges messages in time. */
  readonly proven: () => void;
  /**
   * Records a failed connection. `unanswered` is true if the acknowledgement timeout ended the connection.
   */
  readonly failed: (thrown: unknown, unanswered?: boolean) => void;
  readonly status: () => Omit<ForwarderStatus, 'state' | 'address' | 'version' | 'pause'>;
};

export function createUpstreamMetrics(clock: Pick<Clock, 'monotonic'>, log: Log): UpstreamMetrics {
  const rate = createRate(clock);
  let delivered = 0;
  let refused = 0;
  let acknowledges = true;
  let lastRefusal: string | undefined;
  let lastError: { readonly text: string; readonly at: number } | undefined;
  return {
    taken: () => {
      delivered++;
      rate.count();
    },
    proven: () => {
      acknowledges = true;
    },
    refused: reason => {
      refused++;
      if (lastRefusal !== reason) log.warn(`A message was not forwarded to the upstream: ${reason}.`);
      lastRefusal = reason;
    },
    failed: (thrown, unanswered = false) => {
      acknowledges &&= !unanswered;
      const text = reasonOf(thrown);
      if (lastError?.text !== text) log.warn(`${text} Messages wait in the queue until the next attempt.`);
      lastError = { text, at: clock.monotonic() };
    },
    status: () => ({
      acknowledges,
      delivered,
      ratePerSecond: rate.now(),
      refused,
      lastRefusal,
      lastError: lastError?.text,
      lastErrorAgeMs: lastError && clock.monotonic() - lastError.at,
    }),
  };
}
