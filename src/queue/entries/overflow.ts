import type { Database } from '../disk/database.ts';
import { DROP_BATCH_ENTRIES } from '../limits.ts';
import { PRIORITIES } from '../types.ts';
import { browseLane } from './browse.ts';
import type { QueueState } from './queue-state.ts';
import { laneBegins, laneOf } from './queue-state.ts';
import type { RemovedEntry } from './removed-entry.ts';
import { removedEntryOf } from './removed-entry.ts';

/**
 * Returns the entry to drop for a new entry of `priority`: the oldest entry of the least urgent priority.
 * Never returns an entry in flight, or an entry that is more urgent than the new entry.
 */
export function oldestOf(queue: QueueState, priority: number, database: Database): RemovedEntry | undefined {
  for (let lanePriority = PRIORITIES - 1; lanePriority >= priority; lanePriority--) {
    const lane = queue.lanes[lanePriority];
    if (lane === undefined && queue.storedDepth === 0) continue;
    const oldest = oldestStored(queue, lanePriority, database) ?? oldestInLane(queue, lanePriority);
    if (oldest === undefined) continue;
    laneOf(queue, lanePriority).droppedUpTo = oldest.sequence;
    return oldest;
  }
  return undefined;
}

/**
 * Finds the oldest entry in LMDB. Reads entries in batches, because a full queue drops one entry for each new
 * entry.
 */
function oldestStored(queue: QueueState, priority: number, database: Database): RemovedEntry | undefined {
  if (queue.storedDepth === 0) return undefined;
  const lane = laneOf(queue, priority);
  for (;;) {
    const { oldest } = lane;
    if (oldest === undefined || oldest.version !== database.version()) {
      const entries = readOldest(queue, priority, lane.droppedUpTo, database);
      lane.oldest = { version: database.version(), entries, next: 0 };
      continue;
    }
    const removed = oldest.entries[oldest.next];
    if (removed === undefined) {
      const last = oldest.entries.at(-1);
      if (last === undefined) return undefined;
      lane.oldest = { ...oldest, entries: readOldest(queue, priority, last.sequence, database), next: 0 };
      continue;
    }
    oldest.next++;
    if (mayBeDropped(removed)) return removed;
  }
}

function readOldest(queue: QueueState, priority: number, after: number, database: Database): RemovedEntry[] {
  const found = database.entries(queue.id, priority, after, laneBegins(queue, priority), DROP_BATCH_ENTRIES);
  return found.map(entry => removedEntryOf(queue, entry));
}

function oldestInLane(queue: QueueState, priority: number): RemovedEntry | undefined {
  const lane = queue.lanes[priority];
  if (lane === undefined || lane.waiting.length === lane.closedCount) return undefined;
  for (const { removed } of browseLane(queue, priority, lane.droppedUpTo))
    if (mayBeDropped(removed)) return removed;
  return undefined;
}

/** True if the entry is neither removed nor in flight. */
function mayBeDropped({ queue, priority, sequence }: RemovedEntry): boolean {
  return !queue.removing.has(sequence) && queue.consumer?.hasPassed(priority, sequence) !== true;
}

/** Dropped entries of each queue since the last report: number, first and last sequence. */
export type DropReport = {
  readonly add: (removed: RemovedEntry) => void;
  /** Logs one sentence for each queue with dropped entries and starts a new report. */
  readonly flush: (logLine: (sentence: string) => void) => void;
};

export function createDropReport(): DropReport {
  const drops = new Map<QueueState, { count: number; first: number; last: number }>();
  return {
    add: ({ queue, sequence }) => {
      const drop = drops.get(queue) ?? { count: 0, first: sequence, last: sequence };
      drop.count++;
      drop.first = Math.min(drop.first, sequence);
      drop.last = Math.max(drop.last, sequence);
      drops.set(queue, drop);
    },
    flush: logLine => {
      for (const [{ name }, { count, first, last }] of drops) {
        logLine(
          `The queue "${name}" was full: ${count} of its oldest messages were dropped (${first} to ${last}).`,
        );
      }
      drops.clear();
    },
  };
}
