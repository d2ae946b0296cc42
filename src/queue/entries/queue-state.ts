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
  /** True once purged: entries are being removed, none are added. */
  retired: boolean;
  /** True once LMDB holds the queue's record. Until then each commit names the queue. */
  saved: boolean;
  /** Number of entries, including those not in LMDB, and the bytes of disk that they use. */
  depth: number;
  bytes: number;
  /** Number of entries and bytes as last written to LMDB. */
  storedDepth: number;
  storedBytes: number;
  /** Lanes by priority; most queues use one. */
  readonly lanes: (PriorityLane | undefined)[];
  /** Sequences that are removed and still in LMDB. Never sent again. */
  readonly removing: IntMap<true>;
  /** Failed deliveries by sequence. */
  readonly attempts: Map<number, number>;
  /** Deliver only committed entries, because the receiver derives packet identifiers from sequences. */
  durableFirst: boolean;
  /** Hub time before which no head of the queue expires. */
  nextExpiry: number;
  consumer: Consumer | undefined;
  /** Share that its bytes count in. Undefined if only the store's bound applies. */
  share: QueueShare | undefined;
};

/** Entries of one priority of a queue. */
export type PriorityLane = {
  /** Entries that are not in LMDB, in order of sequence. All entries in LMDB come before them. */
  waiting: LaneEntry[];
  /** Number of those that are released. */
  closedCount: number;
  /** Latest expiry since the lane was last empty. Undefined if the last entry in LMDB must be read. */
  maxExpiry: number | undefined;
  /**
   * Highest sequence sent by a drain of this run, or of one that ended cleanly. Up to it, sending is
   * redelivery.
   */
  sentUpTo: number;
  /** Last sequence that was dropped. */
  droppedUpTo: number;
  /** Entries behind it as LMDB held them at `version`. Those before `next` were dropped or skipped. */
  oldest: { readonly version: number; readonly entries: readonly RemovedEntry[]; next: number } | undefined;
};

/** Drain of a queue as seen by the store. */
export type Consumer = {
  readonly wake: () => void;
  /** Called when entries of `priority` up to `sequence` have moved from the lane to LMDB. */
  readonly stored: (priority: number, sequence: number) => void;
  /** True if the entry was sent or skipped, so that only the drain removes it. */
  readonly hasPassed: (priority: number, sequence: number) => boolean;
  /** Discards what was read ahead, because an entry has left the queue. */
  readonly invalidate: (priority: number) => void;
  /** Makes the drain read LMDB again. */
  readonly reread: () => void;
  /** Called when the queue is purged. */
  readonly stop: () => void;
};

/** Message between `append` and LMDB. */
export type Pending = {
  readonly sequence: number;
  readonly arrived: number;
  laneEntries: readonly LaneEntry[];
  /** Message as appended, until it is in the journal. */
  message: Message | undefined;
  /** Bytes of the encoded message, and its position in the run until LMDB has it. */
  readonly recordBytes: number;
  run: Buffer | undefined;
  recordAt: number;
  /** Not delivered before its commit. */
  readonly durableFirst: boolean;
  /** Number of queues that have not released it. */
  openCount: number;
  stage: 'gathering' | 'committing' | 'journaled' | 'failed';
  /** Dead letters of it that are not on disk yet; its sender waits for them. */
  openLetters: number;
  /** Bytes of disk reserved until it is in LMDB or released. */
  diskReserved: number;
  /** Bytes of the journal reserved until its commit. */
  journalReserved: number;
  /** Callback of its sender; replaced once called. */
  onDurable: OnDurable;
};

/** Entry of a pending message in one queue. */
export type LaneEntry = {
  readonly pending: Pending;
  readonly queue: QueueState;
  readonly priority: number;
  /** Hub time in milliseconds; Infinity: never. */
  readonly expires: number;
  readonly maxExpiry: number;
  readonly bytes: number;
  open: boolean;
  /** Location in LMDB, once it is there. */
  stored: 'inline' | 'outside' | undefined;
};

/**
 * Copy of the encoded message from its run, which is overwritten later. Undefined if LMDB has it, or nothing
 * has.
 */
export function recordOf({ run, recordAt, recordBytes }: Pending): Buffer | undefined {
  return run && Buffer.from(run.subarray(recordAt, recordAt + recordBytes));
}

/** Undefined if its bytes are damaged. */
export function messageOf(pending: Pending): Message | undefined {
  if (pending.message !== undefined) return pending.message;
  const record = recordOf(pending);
  return record && decodeRecord(record);
}

/** True while `queue` must not deliver the message, because it is not committed yet. */
export function isHeldBack({ durableFirst, stage }: Pending, queue: QueueState): boolean {
  return (durableFirst || queue.durableFirst) && (stage === 'gathering' || stage === 'committing');
}

/** Calls the sender's callback once. */
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

/** Index of the first entry behind `sequence` in a sorted list. */
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

/** Closes an entry, and compacts its lane once half of it is closed. */
function close(entry: LaneEntry): void {
  entry.open = false;
  entry.pending.openCount--;
  const lane = laneOf(entry.queue, entry.priority);
  lane.closedCount++;
  if (lane.closedCount < 64 || lane.closedCount * 2 < lane.waiting.length) return;
  lane.waiting = lane.waiting.filter(one => one.open);
  lane.closedCount = 0;
}

/** Closes an entry and subtracts it from its queue, once. */
export function release(entry: LaneEntry): void {
  if (!entry.open) return;
  subtract(entry.queue, entry.bytes);
  close(entry);
}

/**
 * Subtracts one entry from the counters of its queue. The bytes of a damaged entry are unknown, so an empty
 * queue has 0.
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
 * First sequence in the lane of a queue. While a checkpoint runs, LMDB may already show entries of the lane;
 * they count as in the lane until it has finished.
 */
export function laneBegins(queue: QueueState, priority: number): number {
  return queue.lanes[priority]?.waiting[0]?.pending.sequence ?? Number.MAX_SAFE_INTEGER;
}

/** Removes entries up to `last` from all lanes, because they are in LMDB or released. */
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
