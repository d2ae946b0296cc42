import type { Message } from '../../core/message.ts';
import { arrivedAt } from '../disk/chunk.ts';
import type { Database } from '../disk/database.ts';
import { DRAIN_BATCH_ENTRIES } from '../limits.ts';
import { messageAt } from '../record/record-decode.ts';
import type { EntryPosition, QueueStats, WaitingEntry } from '../types.ts';
import { PRIORITIES } from '../types.ts';
import type { QueueState } from './queue-state.ts';
import { firstBehind, laneBegins, messageOf } from './queue-state.ts';
import type { RemovedEntry } from './removed-entry.ts';
import { removedEntryOf, removedLaneEntry } from './removed-entry.ts';

/** Waiting entry, either in LMDB or in memory. */
export type BrowsedEntry = {
  readonly removed: RemovedEntry;
  /** Hub time (the hub's own clock for TTLs) in milliseconds when the message arrived. */
  readonly arrived: number;
  /** Returns the message. Undefined if its bytes are damaged. */
  readonly message: () => Message | undefined;
};

/**
 * Iterates over the entries of one priority behind the sequence `after`. Entries in LMDB come before entries
 * in memory.
 */
export function* browse(
  queue: QueueState,
  priority: number,
  database: Database,
  after = 0,
): Generator<BrowsedEntry, undefined> {
  yield* browseStored(queue, priority, database, after);
  yield* browseLane(queue, priority, after);
  return undefined;
}

/** Iterates over the entries in LMDB. Reads them in small batches. */
export function* browseStored(
  queue: QueueState,
  priority: number,
  database: Database,
  after = 0,
): Generator<BrowsedEntry, undefined> {
  for (let last: number | undefined = queue.storedDepth > 0 ? after : undefined; last !== undefined; ) {
    const batch = database.entries(
      queue.id,
      priority,
      last,
      laneBegins(queue, priority),
      DRAIN_BATCH_ENTRIES,
    );
    last = batch.length < DRAIN_BATCH_ENTRIES ? undefined : batch.at(-1)?.sequence;
    for (const found of batch) {
      const { sequence, chunk, index } = found;
      if (queue.removing.has(sequence)) continue;
      yield {
        removed: removedEntryOf(queue, found),
        arrived: chunk.whole ? arrivedAt(chunk, index) : 0,
        message: () => messageAt(chunk, index, database.body),
      };
    }
  }
  return undefined;
}

/** Iterates over the entries in memory. */
export function* browseLane(
  queue: QueueState,
  priority: number,
  after = 0,
): Generator<BrowsedEntry, undefined> {
  const waiting = queue.lanes[priority]?.waiting ?? [];
  for (let index = firstBehind(waiting, after); index < waiting.length; index++) {
    const entry = waiting[index];
    if (entry?.open !== true) continue;
    const { pending } = entry;
    yield { removed: removedLaneEntry(entry), arrived: pending.arrived, message: () => messageOf(pending) };
  }
  return undefined;
}

/**
 * Returns the first `limit` entries behind the position `after`, in the order of delivery. Skips entries that
 * have expired at hub time `now` (milliseconds).
 */
export function firstOf(
  queue: QueueState,
  limit: number,
  database: Database,
  now: number,
  after: EntryPosition = { priority: 0, sequence: 0 },
): WaitingEntry[] {
  const list: WaitingEntry[] = [];
  for (let priority = after.priority; priority < PRIORITIES; priority++) {
    const start = priority === after.priority ? after.sequence : 0;
    for (const { removed, arrived, message } of browse(queue, priority, database, start)) {
      if (list.length >= limit) return list;
      const { sequence, expires } = removed;
      if (expires <= now) continue;
      const remaining = expires === Number.POSITIVE_INFINITY ? undefined : expires - now;
      list.push({ priority, sequence, message: message(), waited: now - arrived, remaining });
    }
  }
  return list;
}

/** Returns the sequences of the first `count` entries of each priority, including expired entries. */
export function headsOf(queue: QueueState, count: number, database: Database): number[] {
  const sequences: number[] = [];
  for (let priority = 0; priority < PRIORITIES; priority++) {
    let left = count;
    for (const { removed } of browse(queue, priority, database)) {
      if (left-- === 0) break;
      sequences.push(removed.sequence);
    }
  }
  return sequences;
}

export function findEntry(queue: QueueState, sequence: number, database: Database): BrowsedEntry | undefined {
  for (let priority = 0; priority < PRIORITIES; priority++) {
    const { value } = browse(queue, priority, database, sequence - 1).next();
    if (value?.removed.sequence === sequence) return value;
  }
  return undefined;
}

export function statsOf(queue: QueueState, database: Database, now: number): QueueStats {
  let oldestMs: number | undefined;
  for (let priority = 0; priority < PRIORITIES && queue.depth > 0; priority++) {
    const { value } = browse(queue, priority, database).next();
    if (value !== undefined) oldestMs = Math.max(oldestMs ?? 0, now - value.arrived);
  }
  return { queue: queue.name, depth: queue.depth, bytes: queue.bytes, oldestMs };
}
