import { PRIORITY_WEIGHT } from '../limits.ts';
import type { PriorityMode } from '../types.ts';
import { PRIORITIES } from '../types.ts';

/** Selects the priority to send from next. */
export type PriorityScheduler = {
  /** Starts a new fill: exhausted priorities may have entries again. */
  readonly reset: () => void;
  /** Undefined if all are exhausted. */
  readonly next: () => number | undefined;
  /** Records that an entry was sent. */
  readonly sent: (priority: number) => void;
  /** Records that a priority has no more entries. */
  readonly exhausted: (priority: number) => void;
};

/**
 * Creates a scheduler. `hasUnacknowledged`: entries of this priority were sent before and not acknowledged.
 */
export function createPriorityScheduler(
  priorities: PriorityMode,
  hasUnacknowledged: (priority: number) => boolean,
): PriorityScheduler {
  const empty = new Array<boolean>(PRIORITIES).fill(false);
  /** Most urgent priority that may have entries. */
  let top = 0;
  /** By priority: entries of more urgent priorities sent since its last turn. */
  const passed = new Array<number>(PRIORITIES).fill(0);
  let mayHaveUnacknowledged = priorities === 'weighted';

  /** Most urgent priority with entries to redeliver, which precede new ones. */
  const unacknowledged = (): number | undefined => {
    for (let priority = 0; priority < PRIORITIES; priority++)
      if (empty[priority] !== true && hasUnacknowledged(priority)) return priority;
    mayHaveUnacknowledged = false;
    return undefined;
  };

  /** Least urgent priority that has waited for its share. */
  const starved = (): number | undefined => {
    for (let priority = PRIORITIES - 1; priority > top; priority--)
      if ((passed[priority] ?? 0) >= PRIORITY_WEIGHT && empty[priority] !== true) return priority;
    return undefined;
  };

  return {
    reset: () => {
      empty.fill(false);
      top = 0;
    },
    next: () => {
      while (top < PRIORITIES && empty[top] === true) top++;
      if (top === PRIORITIES) return undefined;
      if (priorities === 'strict') return top;
      return (mayHaveUnacknowledged ? unacknowledged() : undefined) ?? starved() ?? top;
    },
    sent: priority => {
      if (priorities === 'strict') return;
      passed[priority] = 0;
      for (let other = priority + 1; other < PRIORITIES; other++) passed[other] = (passed[other] ?? 0) + 1;
    },
    exhausted: priority => {
      empty[priority] = true;
      passed[priority] = 0;
    },
  };
}
