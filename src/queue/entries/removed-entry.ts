import type { Message } from '../../core/message.ts';
import type { Chunk } from '../disk/chunk.ts';
import { bytesAt, expiresAt, isInline, maxExpiryAt, sequenceAt } from '../disk/chunk.ts';
import type { Database } from '../disk/database.ts';
import type { StoredEntry } from '../disk/reader.ts';
import { decodeRecord, recordAt } from '../record/record-decode.ts';
import type { LaneEntry, QueueState } from './queue-state.ts';
import { recordOf } from './queue-state.ts';

/** What is known of an entry when it leaves its queue. */
export type RemovedEntry = {
  readonly queue: QueueState;
  readonly priority: number;
  readonly sequence: number;
  readonly bytes: number;
  readonly expires: number;
  /** It has a place among the expiries. */
  readonly indexed: boolean;
  /** Where LMDB has it; `index`: only its place among the expiries is left; undefined: look at `held`. */
  readonly stored: 'inline' | 'outside' | 'index' | undefined;
  /** Set if it came from a lane and not from LMDB. */
  readonly laneEntry: LaneEntry | undefined;
  /** Bytes of LMDB that are counted as free since it left, until a checkpoint frees them. */
  freed: number;
};

/** Where LMDB has an entry; undefined: nowhere. */
export function whereStored({ laneEntry, stored }: RemovedEntry): RemovedEntry['stored'] {
  return laneEntry === undefined ? stored : laneEntry.stored;
}

/** What is known of an entry that was found in LMDB. */
export function removedEntryOf(queue: QueueState, { priority, chunk, index }: StoredEntry): RemovedEntry {
  return removedEntryAt(queue, priority, chunk, index);
}

/** The same, of the `index`th entry of a chunk. */
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

/** Of an entry of which no more is known, but when it expires if the index has it. Its sequence may be made up: no body is known to be its own. */
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

/** The stored form of a message whose entry has not left yet, wherever it lies; undefined: in memory as it came, or nowhere. */
export function recordIn(
  { laneEntry, queue, priority, sequence }: RemovedEntry,
  database: Database,
): Buffer | undefined {
  const record = laneEntry && recordOf(laneEntry.pending);
  if (record !== undefined) return record;
  const found = database.find({ queue: queue.id, priority, sequence });
  return found && recordAt(found.chunk, found.index, database.body);
}

/** The message of an entry that has not left yet; undefined if its bytes are damaged. */
export function messageIn(removed: RemovedEntry, database: Database): Message | undefined {
  const message = removed.laneEntry?.pending.message;
  if (message !== undefined) return message;
  const record = recordIn(removed, database);
  return record && decodeRecord(record);
}
