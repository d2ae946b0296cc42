import type { IntMap } from '../../core/int-map.ts';
import { createIntMap } from '../../core/int-map.ts';
import type { Message, OnDurable } from '../../core/message.ts';
import type { QueueRecord } from '../disk/layout.ts';
import { decodeRecord } from '../record/record-decode.ts';
import type { QueueShare } from '../types.ts';
import { PRIORITIES } from '../types.ts';
import type { RemovedEntry } from './removed-entry.ts';

/** One queue as the running store knows it: what it holds, what of that is in LMDB, what is not yet. */
export type QueueState = {
  readonly id: number;
  readonly name: string;
  /** Purged: its entries are being taken away, nothing is added. */
  retired: boolean;
  /** True once LMDB knows the queue by its id: until then, each commit names it. */
  saved: boolean;
  /** Entries held, those not in LMDB included, and the bytes of disk they take. */
  depth: number;
  bytes: number;
  /** The same two as last written to LMDB. */
  storedDepth: number;
  storedBytes: number;
  /** By priority; most queues use one. */
  readonly lanes: (PriorityLane | undefined)[];
  /** Sequences let go of and still in LMDB: never sent again. */
  readonly removing: IntMap<true>;
  /** By sequence: how often a receiver failed on an entry. */
  readonly attempts: Map<number, number>;
  /** Its receiver knows messages by their sequences: each is firm, whatever its sender asked for. */
  durableFirst: boolean;
  /** Hub time before which nothing at the heads of the queue expires. */
  nextExpiry: number;
  consumer: Consumer | undefined;
  /** What its bytes count in; undefined: nothing but the store. */
  share: QueueShare | undefined;
};

/** One priority of a queue. */
export type PriorityLane = {
  /** Entries that are not in LMDB, in order of sequence; all in LMDB are before them. */
  waiting: LaneEntry[];
  /** How many of those are let go of. */
  closedCount: number;
  /** The latest expiry of what it has held since it was last empty; undefined: look at its last entry. */
  maxExpiry: number | undefined;
  /** The highest sequence that a drain has sent, of this run or of one that ended cleanly: up to it, sending is redelivery. */
  sentUpTo: number;
  /** The last sequence that was taken away to make room. */
  droppedUpTo: number;
  /** Entries behind it as LMDB held them at `version`; those before `next` were dropped or passed over. */
  oldest: { readonly version: number; readonly entries: readonly RemovedEntry[]; next: number } | undefined;
};

/** The drain of a queue as its store sees it. */
export type Consumer = {
  readonly wake: () => void;
  /** Entries of `priority` up to `sequence` are in LMDB now and no longer in its lane. */
  readonly stored: (priority: number, sequence: number) => void;
  /** True if the entry was sent or passed over: it is the drain's to let go of. */
  readonly hasPassed: (priority: number, sequence: number) => boolean;
  /** An entry that was not passed has left the queue. */
  readonly invalidate: (priority: number) => void;
  /** There may be more on disk than it was told. */
  readonly reread: () => void;
  /** The queue is purged. */
  readonly stop: () => void;
};

/** A message between `append` and LMDB. */
export type Pending = {
  readonly sequence: number;
  readonly arrived: number;
  laneEntries: readonly LaneEntry[];
  /** As it came, until it is in the journal. */
  message: Message | undefined;
  /** Bytes of its stored form, and where it lies until LMDB has it: at `recordAt` in its run. */
  readonly recordBytes: number;
  run: Buffer | undefined;
  recordAt: number;
  /** It came with a note: both are committed together, and nobody is offered it before. */
  readonly durableFirst: boolean;
  /** How many queues have not let go of it. */
  openCount: number;
  stage: 'gathering' | 'committing' | 'journaled' | 'failed';
  /** Dead letters of it on their way to the disk: its sender waits for them. */
  openLetters: number;
  /** Bytes of disk that are set aside for it until it is in LMDB or gone. */
  diskReserved: number;
  /** Bytes of the journal that are set aside for it until its commit. */
  journalReserved: number;
  /** Its sender, until it was told. */
  onDurable: OnDurable;
};

/** One queue's hold on a pending message. */
export type LaneEntry = {
  readonly pending: Pending;
  readonly queue: QueueState;
  readonly priority: number;
  /** Hub time in milliseconds; Infinity: never. */
  readonly expires: number;
  readonly maxExpiry: number;
  readonly bytes: number;
  open: boolean;
  /** Where LMDB has it, once it has. */
  stored: 'inline' | 'outside' | undefined;
};

/** A copy of a message's bytes in its run, which is written over later; undefined: LMDB has them, or nothing. */
export function recordOf({ run, recordAt, recordBytes }: Pending): Buffer | undefined {
  return run && Buffer.from(run.subarray(recordAt, recordAt + recordBytes));
}

/** Undefined if its bytes are damaged. */
export function messageOf(pending: Pending): Message | undefined {
  if (pending.message !== undefined) return pending.message;
  const record = recordOf(pending);
  return record && decodeRecord(record);
}

/** True while `queue` may not offer the message: it, or its note, is not on disk yet. */
export function isHeldBack({ durableFirst, stage }: Pending, queue: QueueState): boolean {
  return (durableFirst || queue.durableFirst) && (stage === 'gathering' || stage === 'committing');
}

/** Tells the sender of a message, once. */
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

/** Index of the first entry behind `sequence` in a list in order of sequence. */
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

/** Closes a hold, and clears its lane of closed ones once they are the most of it. */
function close(entry: LaneEntry): void {
  entry.open = false;
  entry.pending.openCount--;
  const lane = laneOf(entry.queue, entry.priority);
  lane.closedCount++;
  if (lane.closedCount < 64 || lane.closedCount * 2 < lane.waiting.length) return;
  lane.waiting = lane.waiting.filter(one => one.open);
  lane.closedCount = 0;
}

/** Closes a hold and takes it off the figures of its queue, once. */
export function release(entry: LaneEntry): void {
  if (!entry.open) return;
  subtract(entry.queue, entry.bytes);
  close(entry);
}

/** Takes one entry off the figures of its queue. The bytes of a damaged one are not known: none are left with the last. */
export function subtract(queue: QueueState, bytes: number): void {
  const before = queue.bytes;
  queue.depth--;
  queue.bytes = queue.depth === 0 ? 0 : before - bytes;
  queue.share?.add(queue.bytes - before);
}

/** True if any of `queues` holds anything. */
export function isWaiting(queues: Iterable<QueueState>): boolean {
  for (const { depth } of queues) if (depth > 0) return true;
  return false;
}

/**
 * The sequence from which on a queue's entries are in its lane. A checkpoint in flight may show them in LMDB
 * already: until it is noted they count as what they are in the lane.
 */
export function laneBegins(queue: QueueState, priority: number): number {
  return queue.lanes[priority]?.waiting[0]?.pending.sequence ?? Number.MAX_SAFE_INTEGER;
}

/** Takes entries up to `last` out of the lanes of `queues`: they are in LMDB, or gone. */
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
