import { createIntMap } from '../../core/collections/int-map.ts';
import { reasonOf } from '../../core/errors.ts';
import type { Message } from '../../core/message.ts';
import type { Chunk } from '../disk/chunk.ts';
import { indexBehind, sequenceAt } from '../disk/chunk.ts';
import type { PriorityLane, QueueState } from '../entries/queue-state.ts';
import { firstBehind, isHeldBack, laneBegins, laneOf, messageOf } from '../entries/queue-state.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import { messageIn, removedEntryAt, removedLaneEntry } from '../entries/removed-entry.ts';
import { DELIVERY_RETRY_MS, DRAIN_BATCH_ENTRIES, MAX_ATTEMPTS, MAX_DELIVERY_EXCEPTIONS } from '../limits.ts';
import { messageAt } from '../record/record-decode.ts';
import type { Drain, DrainSettings, EntryRef, QueueEntry } from '../types.ts';
import { PRIORITIES } from '../types.ts';
import type { DrainHost } from './drain-host.ts';
import { createPriorityScheduler } from './priority-scheduler.ts';

/**
 * Chunk that was read ahead. `indices` are the indices of its entries that are still to send, in reverse
 * order.
 */
type Prefetched = { readonly chunk: Chunk; readonly indices: number[] };

type Step = 'sent' | 'exhausted' | 'blocked';

/** Dead-letter reason of an entry that cannot be read. */
export const DAMAGED = 'the stored message is damaged';

/**
 * Maximum number of expired and damaged entries that are skipped before the drain yields to the event loop.
 */
const MAX_SKIPPED_PER_TURN = 16 * DRAIN_BATCH_ENTRIES;

/**
 * Creates a drain. A drain sends entries while fewer than `window` entries are unacknowledged. The order is
 * by priority and sequence, or by weighted priorities. Entries in LMDB are sent before entries in memory.
 */
export function createDrain(queue: QueueState, settings: DrainSettings, host: DrainHost): Drain {
  const { window, send } = settings;
  queue.durableFirst = settings.durableFirst === true;
  const outstanding = createIntMap<RemovedEntry>();
  /** Entries to redeliver, in reverse order. */
  let retries: RemovedEntry[] = [];
  /** Entries to redeliver after the next `wake`. */
  let returned: RemovedEntry[] = [];
  /** Last sequence that was sent or skipped, by priority. */
  const position = new Float64Array(PRIORITIES);
  /** Entries that were read ahead and not sent, by priority. */
  const prefetched = new Array<Prefetched | undefined>(PRIORITIES).fill(undefined);
  /** By priority: true if LMDB possibly contains entries that were not read yet. */
  const onDisk = new Array<boolean>(PRIORITIES).fill(queue.storedDepth > 0);
  const redeliveredUpTo = queue.lanes.map(lane => lane?.sentUpTo ?? 0);
  const scheduler = createPriorityScheduler(
    settings.priorities ?? 'strict',
    priority => (position[priority] ?? 0) < (redeliveredUpTo[priority] ?? 0),
  );
  let filling = false;
  let stopped = false;
  let allowance = MAX_SKIPPED_PER_TURN;

  const offer = (entry: QueueEntry, removed: RemovedEntry, lane: PriorityLane): boolean => {
    const { priority, sequence } = entry;
    const before = position[priority] ?? 0;
    host.countRead(entry.message.body.length);
    // Registers the entry before it is sent, because the receiver can acknowledge it synchronously.
    outstanding.set(sequence, removed);
    position[priority] = Math.max(before, sequence);
    if (sendContained(entry)) {
      lane.sentUpTo = Math.max(lane.sentUpTo, sequence);
      return true;
    }
    outstanding.delete(sequence);
    position[priority] = before;
    return false;
  };

  /** Sends an entry. An exception of the receiver counts as a failed delivery of this entry. */
  const sendContained = (entry: QueueEntry): boolean => {
    try {
      return send(entry);
    } catch (thrown) {
      host.onException(queue.name, thrown);
      fail(entry, `its delivery failed with an internal error: ${reasonOf(thrown)}`, MAX_DELIVERY_EXCEPTIONS);
      host.later(wake, DELIVERY_RETRY_MS);
      return true;
    }
  };

  const entryOf = (message: Message, { priority, sequence, expires }: RemovedEntry): QueueEntry => ({
    message,
    priority,
    sequence,
    remaining: expires === Number.POSITIVE_INFINITY ? undefined : expires - host.now(),
    redelivered: sequence <= Math.max(redeliveredUpTo[priority] ?? 0, host.anySentUpTo),
  });

  const offerStored = (chunk: Chunk, index: number, priority: number): Step => {
    const sequence = sequenceAt(chunk, index);
    if (queue.removing.has(sequence)) {
      position[priority] = sequence;
      return 'sent';
    }
    const removed = removedEntryAt(queue, priority, chunk, index);
    return offerFound(removed, messageAt(chunk, index, host.database.body), laneOf(queue, priority));
  };

  const offerFound = (removed: RemovedEntry, message: Message | undefined, lane: PriorityLane): Step => {
    const alive = removed.expires > host.now();
    if (alive && message !== undefined) {
      return offer(entryOf(message, removed), removed, lane) ? 'sent' : 'blocked';
    }
    skip(removed.priority, removed.sequence);
    if (alive) host.deadLetter(removed, 'corrupt', DAMAGED);
    else host.remove(removed, 'expired');
    return 'sent';
  };

  const skip = (priority: number, sequence: number): void => {
    position[priority] = sequence;
    allowance--;
  };

  /** Reads the next chunk of a priority. Undefined if LMDB contains no more entries. */
  const prefetch = (priority: number): Prefetched | undefined => {
    const after = position[priority] ?? 0;
    const chunk = host.database.chunk(queue.id, priority, after);
    const end = laneBegins(queue, priority);
    const first = chunk === undefined ? 0 : indexBehind(chunk, after);
    if (chunk === undefined || sequenceAt(chunk, first) >= end) {
      onDisk[priority] = false;
      return undefined;
    }
    const indices: number[] = [];
    // Skips removed entries now. Later they cannot be recognized, because the next checkpoint deletes their
    // sequences from `removing`.
    for (let index = indexBehind(chunk, end - 1) - 1; index >= first; index--)
      if (!queue.removing.has(sequenceAt(chunk, index))) indices.push(index);
    if (indices.length === 0) skip(priority, Math.min(chunk.last, end - 1));
    return { chunk, indices };
  };

  // Entries are read ahead, so that the next message can be sent without a disk read. Otherwise a client with
  // a small window would wait for the disk after each acknowledgement.
  const sendFromDisk = (priority: number): Step => {
    const known = prefetched[priority] ?? prefetch(priority);
    prefetched[priority] = known;
    if (known === undefined) return 'exhausted';
    const { chunk, indices } = known;
    const index = indices.at(-1);
    const step = index === undefined ? 'sent' : offerStored(chunk, index, priority);
    if (step === 'sent') indices.pop();
    if (indices.length === 0) prefetched[priority] = undefined;
    return step;
  };

  const sendFromLane = (priority: number): Step => {
    const lane = queue.lanes[priority];
    if (lane === undefined) return 'exhausted';
    const { waiting } = lane;
    for (let index = firstBehind(waiting, position[priority] ?? 0); index < waiting.length; index++) {
      const entry = waiting[index];
      if (entry === undefined || !entry.open) continue;
      if (isHeldBack(entry.pending, queue)) return 'exhausted';
      return offerFound(removedLaneEntry(entry), messageOf(entry.pending), lane);
    }
    return 'exhausted';
  };

  const sendRetry = (): Step => {
    const removed = retries.at(-1);
    if (removed === undefined) return 'exhausted';
    const message = messageIn(removed, host.database);
    if (removed.expires <= host.now()) host.remove(removed, 'expired');
    else if (message === undefined) host.deadLetter(removed, 'corrupt', DAMAGED);
    else {
      const repeated = { ...entryOf(message, removed), redelivered: true };
      if (!offer(repeated, removed, laneOf(queue, removed.priority))) return 'blocked';
    }
    retries.pop();
    return 'sent';
  };

  /** Sends one entry. Returns false if no further entry can be sent. */
  const sendNext = (): boolean => {
    if (allowance <= 0 || host.saturated()) return false;
    const priority = scheduler.next();
    if (priority === undefined) return false;
    const stored = onDisk[priority] === true || prefetched[priority] !== undefined;
    const step = stored ? sendFromDisk(priority) : sendFromLane(priority);
    if (step === 'sent') scheduler.sent(priority);
    else if (step === 'exhausted' && !stored) scheduler.exhausted(priority);
    return step !== 'blocked';
  };

  const fill = (): void => {
    if (filling || stopped || outstanding.size() >= window) return;
    filling = true;
    allowance = MAX_SKIPPED_PER_TURN;
    scheduler.reset();
    while (outstanding.size() < window && !stopped && sendNext());
    filling = false;
    if (allowance <= 0) host.later(fill);
  };

  /** Sends redeliveries and then new entries, until the window is full. */
  const resume = (): void => {
    if (filling || stopped) return;
    filling = true;
    while (retries.length > 0 && outstanding.size() < window && sendRetry() === 'sent');
    filling = false;
    if (retries.length === 0) fill();
  };

  const wake = (): void => {
    if (filling || stopped) return;
    if (returned.length > 0) {
      retries = retries.concat(returned).sort(byPositionDescending);
      returned = [];
    }
    resume();
  };

  /**
   * Sends new entries until the window is full. Sends nothing while redeliveries wait, because redeliveries
   * are sent first.
   */
  const fillUnlessReturned = (): void => {
    if (retries.length + returned.length === 0) fill();
  };

  const removeOutstanding = ({ sequence }: EntryRef): RemovedEntry | undefined =>
    stopped ? undefined : outstanding.delete(sequence);

  const stop = (): void => {
    if (stopped) return;
    stopped = true;
    queue.consumer = undefined;
    // Entries in flight cannot be dropped when a bound is reached. After the stop of the drain they can be
    // dropped, so the search for the oldest entry starts at the front again.
    for (const lane of queue.lanes) if (lane !== undefined) lane.droppedUpTo = 0;
  };

  queue.consumer = {
    wake: fillUnlessReturned,
    stored: (priority, sequence) => {
      if (sequence > (position[priority] ?? 0)) onDisk[priority] = true;
    },
    hasPassed: (priority, sequence) => sequence <= (position[priority] ?? 0),
    invalidate: priority => {
      if (prefetched[priority] !== undefined) onDisk[priority] = true;
      prefetched[priority] = undefined;
    },
    reread: () => {
      onDisk.fill(true);
      fillUnlessReturned();
    },
    stop,
  };

  const deadLetter = (removed: RemovedEntry | undefined, reason: string): void => {
    if (removed === undefined) return;
    host.deadLetter(removed, 'dead', reason);
    resume();
  };

  /**
   * Counts a failed delivery of an entry. After `maxAttempts` failures the entry becomes a dead letter.
   * Otherwise the next `wake` offers the entry again. If this drain has stopped, the next drain of the queue
   * offers the entry.
   */
  const fail = ({ sequence }: EntryRef, reason: string, maxAttempts: number): void => {
    const removed = outstanding.delete(sequence);
    if (removed === undefined) return;
    const attempts = host.attempts.add(queue, sequence);
    if (attempts >= maxAttempts) deadLetter(removed, `${reason} (after ${attempts} attempts)`);
    else returned.push(removed);
  };

  const requeue = (entry: EntryRef): void => {
    const removed = removeOutstanding(entry);
    if (removed !== undefined) returned.push(removed);
  };

  return {
    acknowledge: (entry, onDurable) => {
      const removed = removeOutstanding(entry);
      if (removed === undefined) return;
      host.remove(removed, 'acknowledged', onDurable);
      resume();
    },
    reject: (entry, reason) => deadLetter(removeOutstanding(entry), reason),
    retry: (entry, reason) => {
      if (!stopped) fail(entry, reason, MAX_ATTEMPTS);
    },
    requeue,
    wake,
    stop,
  };
}

function byPositionDescending(one: RemovedEntry, other: RemovedEntry): number {
  return other.priority - one.priority || other.sequence - one.sequence;
}
