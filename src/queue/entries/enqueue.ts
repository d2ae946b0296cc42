import type { Message, OnDurable } from '../../core/message.ts';
import { maxExpiryAt } from '../disk/chunk.ts';
import type { Database } from '../disk/database.ts';
import { entryBytes, messageBytes } from '../disk/layout.ts';
import { appendSize } from '../journal/run.ts';
import type { LaneEntry, Pending, PriorityLane, QueueState } from './queue-state.ts';
import { laneOf } from './queue-state.ts';

/**
 * Creates a pending message for `holders` queues. `arrived` is the arrival in milliseconds of hub time (the
 * hub's own clock for TTLs). If `durableFirst` is true, the message is delivered only after its commit.
 */
export function createPending(
  message: Message | undefined,
  recordBytes: number,
  sequence: number,
  arrived: number,
  holders: number,
  durableFirst: boolean,
  onDurable: OnDurable,
): Pending {
  return {
    sequence,
    arrived,
    laneEntries: NO_ENTRIES,
    message,
    recordBytes,
    run: undefined,
    recordAt: 0,
    durableFirst,
    openCount: holders,
    stage: 'gathering',
    openLetters: 0,
    diskReserved: messageBytes(recordBytes, holders),
    journalReserved: appendSize(recordBytes, holders),
    onDurable,
  };
}

const NO_ENTRIES: readonly LaneEntry[] = [];

/** Appends a message to one of its queues. `expires` is hub time (the clock for TTLs) in milliseconds. */
export function enqueue(
  pending: Pending,
  queue: QueueState,
  priority: number,
  expires: number,
  database: Database,
): void {
  const lane = laneOf(queue, priority);
  const maxExpiry = Math.max(maxExpiryOf(queue, priority, lane, database), expires);
  const bytes = entryBytes(pending.recordBytes, pending.openCount);
  const entry = { pending, queue, priority, expires, maxExpiry, bytes, open: true, stored: undefined };
  pending.laneEntries = pending.laneEntries === NO_ENTRIES ? [entry] : [...pending.laneEntries, entry];
  lane.maxExpiry = maxExpiry;
  lane.waiting.push(entry);
  queue.depth++;
  queue.bytes += bytes;
  queue.share?.add(bytes);
  queue.nextExpiry = Math.min(queue.nextExpiry, expires);
}

/** Returns the latest expiry of all entries of a priority since the queue was last empty. */
function maxExpiryOf(queue: QueueState, priority: number, lane: PriorityLane, database: Database): number {
  if (queue.depth === 0) for (const other of queue.lanes) if (other !== undefined) other.maxExpiry = 0;
  if (lane.maxExpiry !== undefined) return lane.maxExpiry;
  const last = database.lastEntry(queue.id, priority);
  if (last === undefined) return 0;
  // The expiry of an entry in a damaged chunk is unknown. With Infinity, the expiry index lists every later
  // entry with a TTL.
  return last.chunk.whole ? maxExpiryAt(last.chunk, last.index) : Number.POSITIVE_INFINITY;
}
