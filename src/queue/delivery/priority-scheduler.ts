import { PRIORITY_WEIGHT } from '../limits.ts';
import type { PriorityMode } from '../types.ts';
import { PRIORITIES } from '../types.ts';

/** Which priority of a queue is sent from next, while there is room for more. */
export type PriorityScheduler = {
  /** There is room again: what was exhausted may have something. */
  readonly reset: () => void;
  /** Undefined: all are exhausted. */
  readonly next: () => number | undefined;
  /** Something of it was sent. */
  readonly sent: (priority: number) => void;
  /** It has nothing more. */
  readonly exhausted: (priority: number) => void;
};

/** `owes`: of this priority something was sent before and not acknowledged, as far as one can see. */
export function createPriorityScheduler(
  priorities: PriorityMode,
  hasUnacknowledged: (priority: number) => boolean,
): PriorityScheduler {
  const empty = new Array<boolean>(PRIORITIES).fill(false);
  /** The first that may have something. */
  let top = 0;
  /** By priority: what more urgent ones have sent since it had its turn. */
  const passed = new Array<number>(PRIORITIES).fill(0);
  let mayHaveUnacknowledged = priorities === 'weighted';

  /** What went before goes again before anything new. */
  const unacknowledged = (): number | undefined => {
    for (let priority = 0; priority < PRIORITIES; priority++)
      if (empty[priority] !== true && hasUnacknowledged(priority)) return priority;
    mayHaveUnacknowledged = false;
    return undefined;
  };

  /** The least urgent one that has waited for its share. */
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
