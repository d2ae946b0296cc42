import { PRIORITY_WEIGHT } from '../limits.ts';
import type { PriorityMode } from '../types.ts';
import { PRIORITIES } from '../types.ts';

/** Selects the priority of the next entry to send. */
export type PriorityScheduler = {
  /** Starts a new pass. All priorities count as not exhausted again, because they can have new entries. */
  readonly reset: () => void;
  /** Returns the priority of the next entry. Undefined if all priorities are exhausted. */
  readonly next: () => number | undefined;
  /** Records that an entry was sent. */
  readonly sent: (priority: number) => void;
  /** Records that a priority has no more entries. */
  readonly exhausted: (priority: number) => void;
};

/**
 * Creates a scheduler. `hasUnacknowledged` returns true if a priority has entries that were sent earlier and
 * not acknowledged.
 */
export function createPriorityScheduler(
  priorities: PriorityMode,
  hasUnacknowledged: (priority: number) => boolean,
): PriorityScheduler {
  const isExhausted = new Array<boolean>(PRIORITIES).fill(false);
  /** Most urgent priority that is not exhausted. */
  let top = 0;
  /** For each priority: number of more urgent entries that were sent since its last entry. */
  const overtaken = new Array<number>(PRIORITIES).fill(0);
  let mayHaveUnacknowledged = priorities === 'weighted';

  /** Returns the most urgent priority with entries to redeliver. Redeliveries are sent before new entries. */
  const unacknowledged = (): number | undefined => {
    for (let priority = 0; priority < PRIORITIES; priority++)
      if (isExhausted[priority] !== true && hasUnacknowledged(priority)) return priority;
    mayHaveUnacknowledged = false;
    return undefined;
  };

  /**
   * Returns the least urgent priority whose entries have waited while at least PRIORITY_WEIGHT more urgent
   * entries were sent.
   */
  const starved = (): number | undefined => {
    for (let priority = PRIORITIES - 1; priority > top; priority--)
      if ((overtaken[priority] ?? 0) >= PRIORITY_WEIGHT && isExhausted[priority] !== true) return priority;
    return undefined;
  };

  return {
    reset: () => {
      isExhausted.fill(false);
      top = 0;
    },
    next: () => {
      while (top < PRIORITIES && isExhausted[top] === true) top++;
      if (top === PRIORITIES) return undefined;
      if (priorities === 'strict') return top;
      return (mayHaveUnacknowledged ? unacknowledged() : undefined) ?? starved() ?? top;
    },
    sent: priority => {
      if (priorities === 'strict') return;
      overtaken[priority] = 0;
      for (let other = priority + 1; other < PRIORITIES; other++)
        overtaken[other] = (overtaken[other] ?? 0) + 1;
    },
    exhausted: priority => {
      isExhausted[priority] = true;
      overtaken[priority] = 0;
    },
  };
}
