import type { IntMap } from '../../core/collections/int-map.ts';
import { createIntMap } from '../../core/collections/int-map.ts';
import type { Message, OnDurable } from '../../core/message.ts';
import type { QueueRecord } from '../disk/layout.ts';
import { decodeRecord } from '../record/record-decode.ts';
import type { QueueShare } from '../types.ts';
import { PRIORITIES } from '../types.ts';
import type { RemovedEntry } from './removed-entry.ts';

/** State of one queue in memory: its counters and the entries that are not in LMDB. */
export type QueueState = {
  readonly id: number;
  readonly name: string;
  /** True if the queue was purged. Its entries are being removed, and no entry is added. */
  retired: boolean;
  /** True if LMDB contains the record of the queue. Until then each commit contains the name of the queue. */
  saved: boolean;
  /** Number of entries, in LMDB or in memory. */
  depth: number;
  /** Bytes of disk that the entries use. */
  bytes: number;
  /** Number of entries that LMDB contains, from the record of the queue. */
  storedDepth: number;
  /** Bytes of the entries that LMDB contains, from the record of the queue. */
  storedBytes: number;
  /** Lanes (entries of one priority), by priority. Most queues use a single lane. */
  readonly lanes: (PriorityLane | undefined)[];
  /** Sequences of removed entries that are still in LMDB. These entries are not sent again. */
  readonly removing: IntMap<true>;
  /** Number of failed deliveries by sequence. */
  readonly attempts: Map<number, number>;
  /**
   * True if entries are delivered only after their commit, because the receiver derives packet identifiers
   * from sequences.
   */
  durableFirst: boolean;
  /**
   * Earliest hub time (the hub's own clock for TTLs) in milliseconds at which an entry at the head of a lane
   * can expire.
   */
  nextExpiry: number;
  consumer: Consumer | undefined;
  /** Share to which the bytes of the queue are charged. Undefined if only the store's bound applies. */
  share: QueueShare | undefined;
};

/** Entries of one priority of a queue. */
export type PriorityLane = {
  /** Entries that are not in LMDB, sorted by sequence. Entries of the lane in LMDB have lower sequences. */
  waiting: LaneEntry[];
  /** Number of entries in `waiting` that were already removed from the queue. */
  closedCount: number;
  /**
   * Latest expiry of all entries since the queue was last empty. Undefined until the value is read from the
   * last entry in LMDB.
   */
  maxExpiry: number | undefined;
  /**
   * Highest sequence that was sent by this hub process, or by the previous process if it ended cleanly. A new
   * drain sends entries up to this sequence as redeliveries.
   */
  sentUpTo: number;
  /** Sequence of the last entry that was dropped because a bound was reached. */
  droppedUpTo: number;
  /**
   * Oldest entries, as read from LMDB at the database version `version`. The entries before index `next` were
   * dropped or skipped.
   */
  oldest: { readonly version: number; readonly entries: readonly RemovedEntry[]; next: number } | undefined;
};

/** Functions of a drain that the store calls. */
export type Consumer = {
  readonly wake: () => void;
  /**
   * Called after a checkpoint has moved entries of `priority` from memory to LMDB. `sequence` is the highest
   * moved sequence.
   */
  readonly stored: (priority: number, sequence: number) => void;
  /** True if the drain has already sent or skipped the entry. Only the drain can then remove the entry. */
  readonly hasPassed: (priority: number, sequence: number) => boolean;
  /**
   * Called when an entry of `priority` was removed from the queue. Discards the entries that were read ahead.
   */
  readonly invalidate: (priority: number) => void;
  /** Called after a checkpoint. Makes the drain read LMDB again. */
  readonly reread: () => void;
  /** Called when the queue is purged. */
  readonly stop: () => void;
};

/** Appended message that no checkpoint has written to LMDB yet. */
export type Pending = {
  readonly sequence: number;
  readonly arrived: number;
  laneEntries: readonly LaneEntry[];
  /** Appended message. Undefined once the journal contains the message. */
  message: Message | undefined;
  /** Bytes of the encoded message. */
  readonly recordBytes: number;
  /**
   * Blocks of the journal that contain the encoded message. Undefined before the commit, and after LMDB
   * contains the message.
   */
  run: Buffer | undefined;
  /** Offset of the encoded message in `run`. */
  recordAt: number;
  /** True if the message is delivered only after its commit. */
  readonly durableFirst: boolean;
  /** Number of queues that still contain the message. */
  openCount: number;
  stage: 'gathering' | 'committing' | 'journaled' | 'failed';
  /**
   * Number of dead letters of this message that are not on disk yet. The sender is notified only after all of
   * them are on disk.
   */
  openLetters: number;
  /** Bytes of disk that are reserved until the message is in LMDB or removed from all queues. */
  diskReserved: number;
  /** Bytes of the journal that are reserved until the commit of the message. */
  journalReserved: number;
  /** Callback of the sender. Replaced by an empty function after its call. */
  onDurable: OnDurable;
};

/** Entry of a pending message in one queue. */
export type LaneEntry = {
  readonly pending: Pending;
  readonly queue: QueueState;
  readonly priority: number;
  /**
   * Hub time (clock for TTLs) in milliseconds when the entry expires. Infinity if the entry never expires.
   */
  readonly expires: number;
  readonly maxExpiry: number;
  readonly bytes: number;
  open: boolean;
  /**
   * Location of the record in LMDB: `inline` (in its chunk) or `outside` (in the table `bodies`). Undefined
   * until a checkpoint has written the record.
   */
  stored: 'inline' | 'outside' | undefined;
};

/**
 * Returns a copy of the encoded message from its run (the bytes of its commit). A copy is needed, because the
 * memory of the run is overwritten later. Undefined if the message is in no run.
 */
export function recordOf({ run, recordAt, recordBytes }: Pending): Buffer | undefined {
  return run && Buffer.from(run.subarray(recordAt, recordAt + recordBytes));
}

/** Returns the message. Undefined if its bytes are damaged. */
export function messageOf(pending: Pending): Message | undefined {
  if (pending.message !== undefined) return pending.message;
  const record = recordOf(pending);
  return record && decodeRecord(record);
}

/** True if `queue` must wait for the commit of the message before the delivery. */
export function isHeldBack({ durableFirst, stage }: Pending, queue: QueueState): boolean {
  return (durableFirst || queue.durableFirst) && (stage === 'gathering' || stage === 'committing');
}

/** Calls the callback of the sender, at most once. */
export function notifySender(pending: Pending, error?: Error): void {
  const { onDurable } = pending;
  pending.onDurable = alreadyNotified;
  onDurable(error);
}

const alreadyNotified = (): void => {};

export function queueState(id: number, record: QueueRecord, saved: boolean): QueueState {
  const { name, retired, depth, bytes } = record;
  return {
    id,
    name,
    retired,
    saved,
    depth,
    bytes,
    storedDepth: depth,
    storedBytes: bytes,
    lanes: new Array<PriorityLane | undefined>(PRIORITIES).fill(undefined),
    removing: createIntMap(),
    attempts: new Map(),
    durableFirst: false,
    nextExpiry: 0,
    consumer: undefined,
    share: undefined,
  };
}

export function laneOf(queue: QueueState, priority: number): PriorityLane {
  const known = queue.lanes[priority];
  if (known !== undefined) return known;
  const lane = {
    waiting: [],
    closedCount: 0,
    maxExpiry: undefined,
    sentUpTo: 0,
    droppedUpTo: 0,
    oldest: undefined,
  };
  queue.lanes[priority] = lane;
  return lane;
}

/** Returns the index of the first entry behind `sequence` in a sorted list. */
export function firstBehind(list: readonly LaneEntry[], sequence: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entry = list[middle];
    if (entry !== undefined && entry.pending.sequence <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Marks an entry as released (removed from its queue). Drops the released entries of its lane from memory if
 * there are at least 64 and at least half of the lane is released.
 */
function close(entry: LaneEntry): void {
  entry.open = false;
  entry.pending.openCount--;
  const lane = laneOf(entry.queue, entry.priority);
  lane.closedCount++;
  if (lane.closedCount < 64 || lane.closedCount * 2 < lane.waiting.length) return;
  lane.waiting = lane.waiting.filter(one => one.open);
  lane.closedCount = 0;
}

/**
 * Releases an entry: removes it from its queue and from the queue's counters. Does nothing if the entry is
 * already released.
 */
export function release(entry: LaneEntry): void {
  if (!entry.open) return;
  subtract(entry.queue, entry.bytes);
  close(entry);
}

/**
 * Subtracts one entry from the counters of its queue. Sets the bytes of an empty queue to 0, because the
 * bytes of a damaged entry are unknown.
 */
export function subtract(queue: QueueState, bytes: number): void {
  const before = queue.bytes;
  queue.depth--;
  queue.bytes = queue.depth === 0 ? 0 : before - bytes;
  queue.share?.add(queue.bytes - before);
}

/** True if any queue has entries. */
export function isWaiting(queues: Iterable<QueueState>): boolean {
  for (const { depth } of queues) if (depth > 0) return true;
  return false;
}

/**
 * Returns the first sequence of a lane in memory. During a checkpoint, LMDB can already contain entries from
 * this sequence on. These entries are read from memory until the checkpoint has finished.
 */
export function laneBegins(queue: QueueState, priority: number): number {
  return queue.lanes[priority]?.waiting[0]?.pending.sequence ?? Number.MAX_SAFE_INTEGER;
}

/**
 * Removes the entries up to the sequence `last` from all lanes in memory. Called after a checkpoint, when
 * these entries are in LMDB or removed.
 */
export function dropStored(queues: Iterable<QueueState>, last: number): void {
  for (const queue of queues) {
    for (const [priority, lane] of queue.lanes.entries()) {
      if (lane === undefined || lane.waiting.length === 0) continue;
      const count = firstBehind(lane.waiting, last);
      if (count === 0) continue;
      lane.waiting = lane.waiting.slice(count);
      lane.closedCount = lane.waiting.filter(entry => !entry.open).length;
      queue.consumer?.stored(priority, last);
    }
  }
}
