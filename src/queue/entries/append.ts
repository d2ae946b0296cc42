import { Failure } from '../../core/errors.ts';
import type { Message, OnDurable } from '../../core/message.ts';
import type { Committer } from '../commit/committer.ts';
import type { Database } from '../disk/database.ts';
import type { FreeSpace } from '../disk/free-space.ts';
import { entryBytes, messageBytes } from '../disk/layout.ts';
import type { HealthTracker } from '../health.ts';
import { appendSize } from '../journal/run.ts';
import { DISK_RESERVE_BYTES } from '../limits.ts';
import { recordSize } from '../record/record-encode.ts';
import type {
  Destination,
  MetadataEntry,
  QueueBound,
  QueueShare,
  Store,
  StoreBounds,
  StoreCounts,
} from '../types.ts';
import type { DiskUsage } from './disk-usage.ts';
import { createPending, enqueue } from './enqueue.ts';
import { oldestOf } from './overflow.ts';
import type { QueueState } from './queue-state.ts';
import type { Registry } from './registry.ts';
import type { RemovedEntry } from './removed-entry.ts';

/** Lifetime in milliseconds of a message without a TTL. */
const FOR_EVER = Number.POSITIVE_INFINITY;

export type AppendHost = {
  readonly database: Database;
  readonly registry: Registry;
  readonly committer: Committer;
  readonly usage: DiskUsage;
  readonly freeSpace: FreeSpace;
  readonly health: HealthTracker;
  readonly counts: StoreCounts;
  readonly bounds: () => StoreBounds;
  /** Returns hub time (the hub's own clock for TTLs) in milliseconds. */
  readonly now: () => number;
  /** Maximum bytes of memory for messages that wait for the disk. */
  readonly maxPendingBytes: number;
  readonly nextSequence: () => number;
  /** Removes an entry of a queue to free space for a new message. */
  readonly drop: (removed: RemovedEntry) => void;
};

/**
 * Creates the append function of the store. A message is added to all of its queues, or refused as a whole.
 */
export function createAppend(host: AppendHost): Store['append'] {
  const { database, registry, committer, usage, counts, health, now } = host;

  const accept = (
    message: Message,
    recordBytes: number,
    destinations: readonly Destination[],
    onDurable: OnDurable,
    note: MetadataEntry | undefined,
  ): void => {
    const arrived = now();
    // At QoS 2 the packet identifier derives from the sequence, so the message is committed before its
    // delivery. Without the commit, another message could get the same sequence after a crash.
    const durableFirst =
      note !== undefined ||
      message.qos === 2 ||
      destinations.some(({ queue }) => registry.find(queue)?.durableFirst === true);
    const holders = destinations.length;
    const pending = createPending(
      message,
      recordBytes,
      host.nextSequence(),
      arrived,
      holders,
      durableFirst,
      onDurable,
    );
    const lifetime = Math.min(message.ttl ?? FOR_EVER, host.bounds().ttl ?? FOR_EVER);
    for (const { queue, priority, ttl } of destinations) {
      const expires = arrived + Math.min(ttl ?? FOR_EVER, lifetime);
      enqueue(pending, registry.findOrCreate(queue), priority, expires, database);
    }
    usage.reserve(pending);
    counts.appended++;
    counts.payload += message.body.length;
    if (!durableFirst) for (const { queue } of pending.laneEntries) queue.consumer?.wake();
    // Skips the commit if all receivers have acknowledged the message during `wake`.
    if (pending.openCount > 0) committer.append(pending, message.body.length, note);
  };

  return (message, destinations, onDurable, note) => {
    const recordBytes = recordSize(message);
    const refusal = makeRoom(host, recordBytes, destinations);
    if (refusal === undefined) {
      accept(message, recordBytes, destinations, onDurable, note);
      return;
    }
    const { bounded, reason } = refusal;
    counts.refused++;
    health.reportFull(bounded, reason);
    onDurable(reason);
  };
}

/** Refusal of a message: the name of the full queue or store, and the error for the sender. */
type Refusal = { readonly bounded: string; readonly reason: Failure };

/** Drops old entries until the message fits. Returns a refusal if the message cannot fit. */
function makeRoom(
  host: AppendHost,
  recordBytes: number,
  destinations: readonly Destination[],
): Refusal | undefined {
  const { usage } = host;
  const { maxSize } = host.bounds();
  const diskError = diskRefusal(host);
  if (diskError !== undefined) return storeRefusal(diskError);
  const full = fullQueues(destinations, entryBytes(recordBytes, destinations.length), host);
  const needed = messageBytes(recordBytes, destinations.length);
  const journalBytes = appendSize(recordBytes, destinations.length);
  if (full.length === 0 && usage.used(journalBytes) + needed <= maxSize) return undefined;
  const fits = (): boolean => usage.used(journalBytes) + needed <= maxSize;
  return dropOrRefuse(host, needed, fits, full, destinations);
}

/** Returns an error if the store has no space for `bytes` more bytes of metadata. Drops no messages. */
export function metadataRefusal(
  host: Pick<AppendHost, 'freeSpace' | 'committer' | 'health' | 'maxPendingBytes' | 'usage'> &
    Pick<StoreBounds, 'maxSize'>,
  bytes: number,
): Failure | undefined {
  const { usage, maxSize } = host;
  const fits = usage.used(bytes) + bytes <= maxSize;
  const sentence = diskRefusal(host) ?? (fits ? undefined : storeFull(maxSize));
  return sentence === undefined ? undefined : new Failure('store.full', sentence);
}

/**
 * Returns the reason why the disk accepts no data. Undefined if the disk accepts data. A slow disk still
 * accepts data: back-pressure then slows the senders.
 */
function diskRefusal({
  freeSpace,
  committer,
  health,
  maxPendingBytes,
}: Pick<AppendHost, 'freeSpace' | 'committer' | 'health' | 'maxPendingBytes'>): string | undefined {
  if (!freeSpace.isEnough()) return DISK_FULL;
  return health.isFailing() && committer.pendingBytes() > maxPendingBytes ? DISK_FAILS : undefined;
}

/**
 * Drops entries if the policies of the full queues and of the store allow it. If one of these policies
 * refuses the message, no entry is dropped.
 */
function dropOrRefuse(
  host: AppendHost,
  needed: number,
  fits: () => boolean,
  full: readonly FullQueue[],
  destinations: readonly Destination[],
): Refusal | undefined {
  const { registry } = host;
  const { maxSize, whenFull } = host.bounds();
  if (!fits() && (whenFull === 'reject' || needed > maxSize)) return storeRefusal(storeFull(maxSize));
  const refused = full.find(
    ({ state, bound, bytes }) =>
      bytes > bound.maxSize || (bound.whenFull === 'reject' && (state?.bytes ?? 0) + bytes > bound.maxSize),
  );
  if (refused !== undefined) return queueRefusal(refused);
  for (const candidate of full) {
    const { state, priority, bound, bytes } = candidate;
    const hasSpace = (): boolean => (state?.bytes ?? 0) + bytes <= bound.maxSize;
    if (!dropUntil(hasSpace, state === undefined ? [] : [state], priority, host))
      return queueRefusal(candidate);
    dropForShare(candidate, host);
  }
  if (fits()) return undefined;
  const leastUrgent = Math.max(...destinations.map(({ priority }) => priority));
  const queues = Array.from(registry.active());
  return dropUntil(fits, queues, leastUrgent, host) ? undefined : storeRefusal(storeFull(maxSize));
}

/**
 * Drops the oldest messages of a holder until its share has space for the new message. Begins with the
 * messages of the full queue. Drops at most MAX_DROPS_PER_MESSAGE messages, so several calls are needed after
 * the share was reduced. Never drops messages in flight.
 */
function dropForShare({ state, share, priority, bytes }: FullQueue, host: AppendHost): void {
  if (share === undefined) return;
  let left = MAX_DROPS_PER_MESSAGE;
  const hasSpace = (): boolean => share.available() >= bytes || left-- <= 0;
  if (state !== undefined && dropUntil(hasSpace, [state], priority, host)) return;
  const own = Array.from(host.registry.active()).filter(queue => queue.share?.holder === share.holder);
  dropUntil(hasSpace, own, priority, host);
}

/** Maximum number of entries that are dropped for one new message. */
const MAX_DROPS_PER_MESSAGE = 64;

/**
 * Queue without space for a new entry of `bytes` bytes: the queue is full, or the share of its holder (the
 * user or module that is charged) is full.
 */
type FullQueue = {
  readonly name: string;
  readonly state: QueueState | undefined;
  readonly priority: number;
  readonly bound: QueueBound;
  readonly share: QueueShare | undefined;
  readonly bytes: number;
};

const NONE: readonly FullQueue[] = [];

function fullQueues(
  destinations: readonly Destination[],
  bytes: number,
  { bounds, registry }: AppendHost,
): readonly FullQueue[] {
  let full = NONE;
  for (const { queue: name, priority } of destinations) {
    const bound = bounds().boundOf(name);
    if (bound === undefined) continue;
    const state = registry.find(name);
    const share = registry.shareOf(name);
    const fits = share === undefined || share.available() >= bytes;
    if (fits && (state?.bytes ?? 0) + bytes <= bound.maxSize) continue;
    full = [...full, { name, state, priority, bound, share, bytes }];
  }
  return full;
}

function storeRefusal(sentence: string): Refusal {
  return { bounded: 'The store', reason: new Failure('store.full', sentence) };
}

function queueRefusal({ name, bound }: FullQueue): Refusal {
  return {
    bounded: `The queue "${name}"`,
    reason: new Failure('store.full', queueFull(name, bound.maxSize)),
  };
}

/**
 * Drops the oldest entries of the largest queues until `fits` returns true. Returns false if no further entry
 * can be dropped.
 */
function dropUntil(
  fits: () => boolean,
  queues: readonly QueueState[],
  priority: number,
  { database, drop }: AppendHost,
): boolean {
  let left = queues;
  while (!fits()) {
    const largest = left.reduce<QueueState | undefined>(
      (one, other) => (one === undefined || other.bytes > one.bytes ? other : one),
      undefined,
    );
    if (largest === undefined) return false;
    const oldest = oldestOf(largest, priority, database);
    if (oldest === undefined) left = left.filter(queue => queue !== largest);
    else drop(oldest);
  }
  return true;
}

const DISK_FULL = `The disk of the store has less than ${DISK_RESERVE_BYTES >> 20} MB free: free space on the disk, or restore the upstream connection.`;
const DISK_FAILS = 'The disk of the store cannot be written: see the log, and check the disk.';

function storeFull(maxSize: number): string {
  return `The store is full (${maxSize} bytes): raise storeAndForward.maxSize, shorten its ttl, or restore the upstream connection.`;
}

function queueFull(queue: string, maxSize: number): string {
  return `The queue "${queue}" is full (${maxSize} bytes): raise storeAndForward.maxQueueSize, shorten its ttl, or reconnect its receiver.`;
}
