import type { Message } from '../../core/message.ts';
import type { Chunk } from '../disk/chunk.ts';
import { bytesAt, ceilingAt, expiresAt, isInline, sequenceAt } from '../disk/chunk.ts';
import type { Database } from '../disk/database.ts';
import type { StoredEntry } from '../disk/reader.ts';
import { decodeRecord, recordAt } from '../disk/recall.ts';
import type { Held, QueueState } from './ledger.ts';
import { recordOf } from './ledger.ts';

/** What is known of an entry when it leaves its queue. */
export type Leaving = {
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
  readonly held: Held | undefined;
  /** Bytes of LMDB that are counted as free since it left, until a checkpoint frees them. */
  freed: number;
};

/** Where LMDB has an entry; undefined: nowhere. */
export function whereStored({ held, stored }: Leaving): Leaving['stored'] {
  return held === undefined ? stored : held.stored;
}

/** What is known of an entry that was found in LMDB. */
export function leavingStored(queue: QueueState, { priority, chunk, index }: StoredEntry): Leaving {
  return leavingAt(queue, priority, chunk, index);
}

/** The same, of the `index`th entry of a chunk. */
export function leavingAt(queue: QueueState, priority: number, chunk: Chunk, index: number): Leaving {
  const sequence = sequenceAt(chunk, index);
  if (!chunk.whole) return leavingDamaged(queue, priority, sequence, Number.POSITIVE_INFINITY);
  const expires = expiresAt(chunk, index);
  return {
    queue,
    priority,
    sequence,
    bytes: bytesAt(chunk, index),
    expires,
    indexed: expires < ceilingAt(chunk, index),
    stored: isInline(chunk, index) ? 'inline' : 'outside',
    held: undefined,
    freed: 0,
  };
}

/** Of an entry of which no more is known, but when it expires if the index has it. Its sequence may be made up: no body is known to be its own. */
export function leavingDamaged(
  queue: QueueState,
  priority: number,
  sequence: number,
  expires: number,
  stored: 'inline' | 'index' = 'inline',
): Leaving {
  const indexed = expires < Number.POSITIVE_INFINITY;
  return { queue, priority, sequence, bytes: 0, expires, indexed, stored, held: undefined, freed: 0 };
}

export function leavingHeld(held: Held): Leaving {
  const { pending, queue, priority, expires, ceiling, bytes } = held;
  return {
    queue,
    priority,
    sequence: pending.sequence,
    bytes,
    expires,
    indexed: expires < ceiling,
    stored: undefined,
    held,
    freed: 0,
  };
}

/** The stored form of a message whose entry has not left yet, wherever it lies; undefined: in memory as it came, or nowhere. */
export function recordIn(
  { held, queue, priority, sequence }: Leaving,
  database: Database,
): Buffer | undefined {
  const record = held && recordOf(held.pending);
  if (record !== undefined) return record;
  const found = database.find({ queue: queue.id, priority, sequence });
  return found && recordAt(found.chunk, found.index, database.body);
}

/** The message of an entry that has not left yet; undefined if its bytes are damaged. */
export function messageIn(leaving: Leaving, database: Database): Message | undefined {
  const message = leaving.held?.pending.message;
  if (message !== undefined) return message;
  const record = recordIn(leaving, database);
  return record && decodeRecord(record);
}
