import type { Message } from '../../core/message.ts';
import type { Chunk } from '../disk/chunk.ts';
import { bytesAt, expiresAt, isInline, maxExpiryAt, sequenceAt } from '../disk/chunk.ts';
import type { Database } from '../disk/database.ts';
import type { StoredEntry } from '../disk/reader.ts';
import { decodeRecord, recordAt } from '../record/record-decode.ts';
import type { LaneEntry, QueueState } from './queue-state.ts';
import { recordOf } from './queue-state.ts';

/** Description of an entry that is to be removed. */
export type RemovedEntry = {
  readonly queue: QueueState;
  readonly priority: number;
  readonly sequence: number;
  readonly bytes: number;
  readonly expires: number;
  /** True if the expiry index contains the entry. */
  readonly indexed: boolean;
  /**
   * Location of the record in LMDB. `index` if only the expiry index contains the entry. Undefined if
   * `laneEntry` contains the location.
   */
  readonly stored: 'inline' | 'outside' | 'index' | undefined;
  /** Entry in memory. Undefined if the entry was read from LMDB. */
  readonly laneEntry: LaneEntry | undefined;
  /**
   * Bytes of the entry that count as free after its removal. The next checkpoint frees these bytes in LMDB.
   */
  freed: number;
};

/** Returns the location of an entry in LMDB. Undefined if the entry is not in LMDB. */
export function whereStored({ laneEntry, stored }: RemovedEntry): RemovedEntry['stored'] {
  return laneEntry === undefined ? stored : laneEntry.stored;
}

/** Describes an entry that was read from LMDB. */
export function removedEntryOf(queue: QueueState, { priority, chunk, index }: StoredEntry): RemovedEntry {
  return removedEntryAt(queue, priority, chunk, index);
}

/** Describes the entry of a chunk with the index `index`. */
export function removedEntryAt(
  queue: QueueState,
  priority: number,
  chunk: Chunk,
  index: number,
): RemovedEntry {
  const sequence = sequenceAt(chunk, index);
  if (!chunk.whole) return removedDamagedEntry(queue, priority, sequence, Number.POSITIVE_INFINITY);
  const expires = expiresAt(chunk, index);
  return {
    queue,
    priority,
    sequence,
    bytes: bytesAt(chunk, index),
    expires,
    indexed: expires < maxExpiryAt(chunk, index),
    stored: isInline(chunk, index) ? 'inline' : 'outside',
    laneEntry: undefined,
    freed: 0,
  };
}

/**
 * Describes an entry with a damaged header. The expiry is known only if the expiry index contains the entry.
 * The body of the entry is unknown, because the sequence can be a placeholder.
 */
export function removedDamagedEntry(
  queue: QueueState,
  priority: number,
  sequence: number,
  expires: number,
  stored: 'inline' | 'index' = 'inline',
): RemovedEntry {
  const indexed = expires < Number.POSITIVE_INFINITY;
  return { queue, priority, sequence, bytes: 0, expires, indexed, stored, laneEntry: undefined, freed: 0 };
}

export function removedLaneEntry(entry: LaneEntry): RemovedEntry {
  const { pending, queue, priority, expires, maxExpiry, bytes } = entry;
  return {
    queue,
    priority,
    sequence: pending.sequence,
    bytes,
    expires,
    indexed: expires < maxExpiry,
    stored: undefined,
    laneEntry: entry,
    freed: 0,
  };
}

/**
 * Returns the encoded message of an entry that is still in its queue. Undefined if the message is not encoded
 * yet, or is missing.
 */
export function recordIn(
  { laneEntry, queue, priority, sequence }: RemovedEntry,
  database: Database,
): Buffer | undefined {
  const record = laneEntry && recordOf(laneEntry.pending);
  if (record !== undefined) return record;
  const found = database.find({ queue: queue.id, priority, sequence });
  return found && recordAt(found.chunk, found.index, database.body);
}

/**
 * Returns the message of an entry that is still in its queue. Undefined if the bytes of the message are
 * damaged.
 */
export function messageIn(removed: RemovedEntry, database: Database): Message | undefined {
  const message = removed.laneEntry?.pending.message;
  if (message !== undefined) return message;
  const record = recordIn(removed, database);
  return record && decodeRecord(record);
}
