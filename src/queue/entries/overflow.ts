import { DROP_BATCH } from '../../core/store-limits.ts';
import type { Database } from '../disk/database.ts';
import { PRIORITIES } from '../types.ts';
import { browseLane } from './browse.ts';
import type { Leaving } from './leaving.ts';
import { leavingStored } from './leaving.ts';
import type { QueueState } from './ledger.ts';
import { laneBegins, laneOf } from './ledger.ts';

/**
 * The entry of a queue that makes room for one of `priority`: the oldest of the least urgent there are, but
 * none that is more urgent than the newcomer, and none that is on its way to a receiver.
 */
export function oldestOf(queue: QueueState, priority: number, database: Database): Leaving | undefined {
  for (let least = PRIORITIES - 1; least >= priority; least--) {
    const lane = queue.lanes[least];
    if (lane === undefined && queue.storedDepth === 0) continue;
    const oldest = oldestStored(queue, least, database) ?? oldestInLane(queue, least);
    if (oldest === undefined) continue;
    laneOf(queue, least).droppedUpTo = oldest.sequence;
    return oldest;
  }
  return undefined;
}

/** The part in LMDB is read by many entries: a queue at its bound drops one for each that comes. */
function oldestStored(queue: QueueState, priority: number, database: Database): Leaving | undefined {
  if (queue.storedDepth === 0) return undefined;
  const lane = laneOf(queue, priority);
  for (;;) {
    const { oldest } = lane;
    if (oldest === undefined || oldest.version !== database.version()) {
      const entries = readOldest(queue, priority, lane.droppedUpTo, database);
      lane.oldest = { version: database.version(), entries, next: 0 };
      continue;
    }
    const leaving = oldest.entries[oldest.next];
    if (leaving === undefined) {
      const last = oldest.entries.at(-1);
      if (last === undefined) return undefined;
      lane.oldest = { ...oldest, entries: readOldest(queue, priority, last.sequence, database), next: 0 };
      continue;
    }
    oldest.next++;
    if (mayBeDropped(leaving)) return leaving;
  }
}

function readOldest(queue: QueueState, priority: number, after: number, database: Database): Leaving[] {
  const found = database.entries(queue.id, priority, after, laneBegins(queue, priority), DROP_BATCH);
  return found.map(entry => leavingStored(queue, entry));
}

function oldestInLane(queue: QueueState, priority: number): Leaving | undefined {
  const lane = queue.lanes[priority];
  if (lane === undefined || lane.waiting.length === lane.closed) return undefined;
  for (const { leaving } of browseLane(queue, priority, lane.droppedUpTo))
    if (mayBeDropped(leaving)) return leaving;
  return undefined;
}

/** False for an entry that has left its queue, or is on its way to the receiver. */
function mayBeDropped({ queue, priority, sequence }: Leaving): boolean {
  return !queue.removing.has(sequence) && queue.consumer?.passed(priority, sequence) !== true;
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
