import type { Cancel, Clock } from '../core/clock.ts';
import type { Budget } from './budget.ts';

export type GateSettings = {
  /** Milliseconds from the end of a batch to the next; undefined: messages go as they come. */
  readonly interval: number | undefined;
  readonly budget: Budget | undefined;
  /** It is open again. */
  readonly opened: () => void;
  readonly clock: Clock;
};

/** Whether a message may go now, on a line that costs. */
export type Gate = {
  readonly mayBegin: () => boolean;
  /** All that waited has gone: the batch is over. */
  readonly dry: () => void;
  /** The bytes that went over a link in all are counted from now on. */
  readonly count: (traffic: () => number) => void;
  /** The link is over. */
  readonly uncount: () => void;
  /** Why it is shut, in a few words. */
  readonly reason: () => string | undefined;
  readonly stop: () => void;
};

export function createGate({ interval = 0, budget, opened, clock }: GateSettings): Gate {
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
