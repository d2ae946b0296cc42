import type { Cancel, Clock } from '../../core/clock.ts';
import type { Budget } from './budget.ts';

export type ThrottleSettings = {
  /** Milliseconds between two batches. Undefined if messages are sent immediately. */
  readonly interval: number | undefined;
  readonly budget: Budget | undefined;
  /** Called when sending can resume after a pause. */
  readonly opened: () => void;
  readonly clock: Clock;
};

/** Throttle of a metered connection: interval between batches, and byte budget. */
export type Throttle = {
  /** Returns true if the throttle allows to send a message now. Otherwise schedules the call of `opened`. */
  readonly mayBegin: () => boolean;
  /** Ends the batch. Called when no message is in flight. */
  readonly dry: () => void;
  /**
   * Starts to count the traffic of a link against the budget. `traffic` returns the total bytes that the link
   * has sent and received.
   */
  readonly count: (traffic: () => number) => void;
  /** Counts the last bytes of a link. Called when the link is closed. */
  readonly uncount: () => void;
  /** Returns the reason why sending is paused. Undefined if sending is not paused. */
  readonly reason: () => string | undefined;
  readonly stop: () => void;
};

export function createThrottle({ interval = 0, budget, opened, clock }: ThrottleSettings): Throttle {
  const isUnlimited = interval === 0 && budget === undefined;
  let nextBatch = Number.NEGATIVE_INFINITY;
  let traffic: (() => number) | undefined;
  let counted = 0;
  let cancel: Cancel | undefined;

  const spend = (): void => {
    const total = traffic?.() ?? counted;
    if (total > counted) budget?.spend(total - counted);
    counted = total;
  };

  const openIn = (milliseconds: number): void => {
    cancel ??= clock.after(milliseconds, () => {
      cancel = undefined;
      opened();
    });
  };

  const waitOfBudget = (): number => {
    spend();
    return budget?.wait() ?? 0;
  };

  return {
    mayBegin: () => {
      if (isUnlimited) return true;
      const wait = Math.max(nextBatch - clock.monotonic(), waitOfBudget());
      if (wait > 0) openIn(wait);
      return wait <= 0;
    },
    dry: () => {
      if (interval > 0) nextBatch = clock.monotonic() + interval;
    },
    count: linkTraffic => {
      traffic = linkTraffic;
      counted = 0;
    },
    uncount: () => {
      spend();
      traffic = undefined;
      counted = 0;
    },
    reason: () => {
      if (waitOfBudget() > 0) return 'the daily budget is used up';
      return nextBatch > clock.monotonic() ? 'the next batch is not due yet' : undefined;
    },
    stop: () => {
      cancel?.();
      budget?.save();
    },
  };
}
