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

/** Lifetime without a limit, in milliseconds. */
const FOR_EVER = Number.POSITIVE_INFINITY;

export type AppendHost = {
  readonly database: Database;
  readonly registry: Registry;
  readonly committer: Committer;
  readonly usage: DiskUsage;
  readonly freeSpace: FreeSpace;
  readonly health: HealthTracker;
  readonly counts: StoreCounts;
  /** Returns the current bounds. */
  readonly bounds: () => StoreBounds;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  /** Bytes of memory that messages may take while they wait for the disk. */
  readonly maxPendingBytes: number;
  readonly nextSequence: () => number;
  /** Drops an entry to free space. */
  readonly drop: (removed: RemovedEntry) => void;
};

/** Appends messages to the lanes of their queues and to the committer, or refuses them as a whole. */
export function createAppend(host: AppendHost): Store['append'] {
  const { database, registry, committer, usage, counts, health, now } = host;

  const take = (
    message: Message,
    recordBytes: number,
    destinations: readonly Destination[],
    onDurable: OnDurable,
    note: MetadataEntry | undefined,
  ): void => {
    const arrived = now();
    // At QoS 2 the packet identifier derives from the sequence, which a crash would assign again if it were
    // not on disk.
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
    // The receiver may have acknowledged it during `wake`.
    if (pending.openCount > 0) committer.append(pending, message.body.length, note);
  };

  return (message, destinations, onDurable, note) => {
    const recordBytes = recordSize(message);
    const refusal = makeRoom(host, recordBytes, destinations);
    if (refusal === undefined) {
      take(message, recordBytes, destinations, onDurable, note);
      return;
    }
    const { bounded, reason } = refusal;
    counts.refused++;
    health.reportFull(bounded, reason);
    onDurable(reason);
  };
}

/** Full queue or store, and the error for the sender. */
type Refusal = { readonly bounded: string; readonly reason: Failure };

/** Drops entries to free space, or returns a refusal. */
function makeRoom(
  host: AppendHost,
  recordBytes: number,
  destinations: readonly Destination[],
): Refusal | undefined {
  const { usage } = host;
  const { maxSize } = host.bounds();
  const trouble = diskRefusal(host);
  if (trouble !== undefined) return storeRefusal(trouble);
  const tight = fullQueues(destinations, entryBytes(recordBytes, destinations.length), host);
  const needed = messageBytes(recordBytes, destinations.length);
  const coming = appendSize(recordBytes, destinations.length);
  if (tight.length === 0 && usage.used(coming) + needed <= maxSize) return undefined;
  const fits = (): boolean => usage.used(coming) + needed <= maxSize;
  return dropOrRefuse(host, needed, fits, tight, destinations);
}

/** Error if the store has no space for `bytes` more of metadata. Drops nothing for it. */
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

/** Reason why the disk accepts nothing. A slow disk is not one, because senders wait (back-pressure). */
function diskRefusal({
  freeSpace,
  committer,
  health,
  maxPendingBytes,
}: Pick<AppendHost, 'freeSpace' | 'committer' | 'health' | 'maxPendingBytes'>): string | undefined {
  if (!freeSpace.isEnough()) return DISK_FULL;
  return health.isFailing() && committer.pendingBytes() > maxPendingBytes ? DISK_FAILS : undefined;
}

/** Drops as the policy allows, and nothing for a message that is refused anyway. */
function dropOrRefuse(
  host: AppendHost,
  needed: number,
  fits: () => boolean,
  tight: readonly FullQueue[],
  destinations: readonly Destination[],
): Refusal | undefined {
  const { registry } = host;
  const { maxSize, whenFull } = host.bounds();
  if (!fits() && (whenFull === 'reject' || needed > maxSize)) return storeRefusal(storeFull(maxSize));
  const refused = tight.find(
    ({ state, bound, bytes }) =>
      bytes > bound.maxSize || (bound.whenFull === 'reject' && (state?.bytes ?? 0) + bytes > bound.maxSize),
  );
  if (refused !== undefined) return queueRefusal(refused);
  for (const one of tight) {
    const { state, priority, bound, bytes } = one;
    const wanted = (): boolean => (state?.bytes ?? 0) + bytes <= bound.maxSize;
    if (!dropUntil(wanted, state === undefined ? [] : [state], priority, host)) return queueRefusal(one);
    dropForShare(one, host);
  }
  if (fits()) return undefined;
  const least = Math.max(...destinations.map(({ priority }) => priority));
  const queues = Array.from(registry.active());
  return dropUntil(fits, queues, least, host) ? undefined : storeRefusal(storeFull(maxSize));
}

/**
 * Drops the oldest messages of a holder until its share has space, first those of the same queue. If the
 * share has shrunk, the excess is dropped in steps. Messages in flight are not dropped.
 */
function dropForShare({ state, share, priority, bytes }: FullQueue, host: AppendHost): void {
  if (share === undefined) return;
  let left = MAX_DROPS_PER_MESSAGE;
  const wanted = (): boolean => share.available() >= bytes || left-- <= 0;
  if (state !== undefined && dropUntil(wanted, [state], priority, host)) return;
  const own = Array.from(host.registry.active()).filter(queue => queue.share?.holder === share.holder);
  dropUntil(wanted, own, priority, host);
}

/** Maximum number of entries that one message drops. */
const MAX_DROPS_PER_MESSAGE = 64;

/** Queue or share that is full, and the bytes that the entry would use. */
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
  let tight = NONE;
  for (const { queue: name, priority } of destinations) {
    const bound = bounds().boundOf(name);
    if (bound === undefined) continue;
    const state = registry.find(name);
    const share = registry.shareOf(name);
    const fits = share === undefined || share.available() >= bytes;
    if (fits && (state?.bytes ?? 0) + bytes <= bound.maxSize) continue;
    tight = [...tight, { name, state, priority, bound, share, bytes }];
  }
  return tight;
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

/** Drops the oldest entries of the largest queues until `fits`; false if nothing more may be dropped. */
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

const DISK_FULL = `The disk of the store has less than ${DISK_RESERVE_BYTES >> 20} MB free: make room on it, or bring the upstream back.`;
const DISK_FAILS = 'The disk of the store cannot be written: see the log, and look at the disk.';

function storeFull(maxSize: number): string {
  return `The store is full (${maxSize} bytes): raise storeAndForward.maxSize, shorten its ttl, or bring the upstream back.`;
}

function queueFull(queue: string, maxSize: number): string {
  return `The queue "${queue}" is full (${maxSize} bytes): raise storeAndForward.maxQueueSize, shorten its ttl, or bring its receiver back.`;
}
