import type { Database } from '../disk/database.ts';
import { PRIORITIES } from '../types.ts';
import { browse } from './browse.ts';
import type { Leaving } from './leaving.ts';
import type { QueueState } from './ledger.ts';
import { laneOf } from './ledger.ts';

/**
 * The entry of a queue that makes room for one of `priority`: the oldest of the least urgent there are, but
 * none that is more urgent than the newcomer, and none that is on its way to a receiver.
 */
export function oldestOf(queue: QueueState, priority: number, database: Database): Leaving | undefined {
  for (let least = PRIORITIES - 1; least >= priority; least--) {
    const lane = laneOf(queue, least);
    for (const { leaving } of browse(queue, least, database, lane.droppedUpTo)) {
      if (queue.consumer?.passed(least, leaving.sequence) === true) continue;
      lane.droppedUpTo = leaving.sequence;
      return leaving;
    }
  }
  return undefined;
}

/** What was dropped from each queue since it was last told: how many, the first and the last. */
export type Drops = {
  readonly note: (leaving: Leaving) => void;
  /** Says each queue's in one sentence, and begins anew. */
  readonly tell: (say: (sentence: string) => void) => void;
};

export function createDrops(): Drops {
  const drops = new Map<QueueState, { count: number; first: number; last: number }>();
  return {
    note: ({ queue, sequence }) => {
      const drop = drops.get(queue) ?? { count: 0, first: sequence, last: sequence };
      drop.count++;
      drop.first = Math.min(drop.first, sequence);
      drop.last = Math.max(drop.last, sequence);
      drops.set(queue, drop);
    },
    tell: say => {
      for (const [{ name }, { count, first, last }] of drops) {
        say(
          `The queue "${name}" was full: ${count} of its oldest messages were dropped (${first} to ${last}).`,
        );
      }
      drops.clear();
    },
  };
}
