import type { Cancel, Clock } from '../../core/clock.ts';
import type { Budget } from './budget.ts';

export type ThrottleSettings = {
  /** Milliseconds between two batches. Undefined if messages are sent immediately. */
  readonly interval: number | undefined;
  readonly budget: Budget | undefined;
  /** Called when sending may resume. */
  readonly opened: () => void;
  readonly clock: Clock;
};

/** Throttle of a metered line: batches, schedule and budget. */
export type Throttle = {
  readonly mayBegin: () => boolean;
  /** Called when the queue is empty: the batch is over. */
  readonly dry: () => void;
  /** Starts to count the traffic of a link. */
  readonly count: (traffic: () => number) => void;
  /** Called when the link is closed. */
  readonly uncount: () => void;
  /** Reason in a few words why sending is paused. */
  readonly reason: () => string | undefined;
  readonly stop: () => void;
};

export function createThrottle({ interval = 0, budget, opened, clock }: ThrottleSettings): Throttle {
  const isFree = interval === 0 && budget === undefined;
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
      if (isFree) return true;
      const wait = Math.max(nextBatch - clock.monotonic(), waitOfBudget());
      if (wait > 0) openIn(wait);
      return wait <= 0;
    },
    dry: () => {
      if (interval > 0) nextBatch = clock.monotonic() + interval;
    },
    count: wanted => {
      traffic = wanted;
      counted = 0;
    },
    uncount: () => {
      spend();
      traffic = undefined;
      counted = 0;
    },
    reason: () => {
      if (waitOfBudget() > 0) return 'the budget of the day is used up';
      return nextBatch > clock.monotonic() ? 'the next batch is not due yet' : undefined;
    },
    stop: () => {
      cancel?.();
      budget?.save();
    },
  };
}
