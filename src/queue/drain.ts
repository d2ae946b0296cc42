import { DRAIN_BATCH } from '../core/limits.ts';
import type { Database, StoredEntry } from './database.ts';
import { decodeMessage } from './layout.ts';
import type { Held, QueueState } from './ledger.ts';
import { firstBehind, sizeOf } from './ledger.ts';
import type { Drain, DrainSettings, Entry } from './types.ts';
import { PRIORITIES } from './types.ts';

/** Why an entry leaves its queue. */
export type Reason = 'acknowledged' | 'expired' | 'purged' | 'corrupt';

/** What letting go of an entry needs to know. */
export type Release = {
  readonly queue: QueueState;
  readonly priority: number;
  readonly sequence: number;
  readonly size: number;
  /** Set while the entry may not be on disk yet. */
  readonly held: Held | undefined;
  readonly reason: Reason;
};

/** What a drain needs of its store. */
export type DrainHost = {
  readonly database: Database;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  readonly release: (release: Release) => void;
  /** Runs `action` in a later turn of the loop. */
  readonly later: (action: () => void) => void;
};

type Step = 'sent' | 'exhausted' | 'blocked';

/** Entries passed over (expired, damaged) before the loop gets a turn. */
const PASSED_PER_TURN = 16 * DRAIN_BATCH;

/**
 * Sends a queue's entries in order of (priority, sequence), from disk and from what is not yet committed,
 * while fewer than `window` are unacknowledged.
 */
export function createDrain(queue: QueueState, settings: DrainSettings, host: DrainHost): Drain {
  const { window, send } = settings;
  const outstanding = new Map<number, { readonly size: number; readonly held: Held | undefined }>();
  const position = new Float64Array(PRIORITIES);
  /** By priority: entries read from disk and not yet sent, the next one last; whether there may be more. */
  const ahead: StoredEntry[][] = Array.from({ length: PRIORITIES }, () => []);
  const onDisk = new Array<boolean>(PRIORITIES).fill(true);
  const redeliveredUpTo = queue.sentUpTo.slice();
  let filling = false;
  let stopped = false;
  let allowance = PASSED_PER_TURN;

  const offer = (entry: Entry, size: number, held: Held | undefined): boolean => {
    outstanding.set(entry.sequence, { size, held });
    const before = position[entry.priority] ?? 0;
    position[entry.priority] = entry.sequence;
    if (send(entry)) {
      queue.sentUpTo[entry.priority] = Math.max(queue.sentUpTo[entry.priority] ?? 0, entry.sequence);
      return true;
    }
    outstanding.delete(entry.sequence);
    position[entry.priority] = before;
    return false;
  };

  const pass = (stored: StoredEntry, reason: Reason): void => {
    position[stored.priority] = stored.sequence;
    allowance--;
    host.release({ queue, ...stored, size: stored.bodyBytes, held: undefined, reason });
  };

  const offerStored = (stored: StoredEntry): Step => {
    if (queue.removing.has(stored.sequence)) {
      position[stored.priority] = stored.sequence;
      return 'sent';
    }
    const now = host.now();
    if (stored.expires !== 0 && stored.expires <= now) {
      pass(stored, 'expired');
      return 'sent';
    }
    const body = host.database.body(stored.sequence);
    const message = body === undefined ? undefined : decodeMessage(body);
    if (message === undefined) {
      pass(stored, 'corrupt');
      return 'sent';
    }
    const { priority, sequence } = stored;
    const remaining = stored.expires === 0 ? undefined : stored.expires - now;
    const redelivered = sequence <= (redeliveredUpTo[priority] ?? 0);
    const sent = offer({ message, priority, sequence, remaining, redelivered }, stored.bodyBytes, undefined);
    return sent ? 'sent' : 'blocked';
  };

  // Read ahead, so that each acknowledgement is answered by the next message at once and not by a read of the
  // disk: a client that waits for an answer before it sends more would else stand still.
  const sendFromDisk = (priority: number): Step => {
    const batch = ahead[priority] ?? [];
    if (batch.length === 0) {
      const after = position[priority] ?? 0;
      batch.push(...host.database.entries(queue.id, priority, after, DRAIN_BATCH).reverse());
      if (batch.length < DRAIN_BATCH) onDisk[priority] = false;
    }
    const stored = batch.at(-1);
    if (stored === undefined) return 'exhausted';
    const step = offerStored(stored);
    if (step === 'sent') batch.pop();
    return step;
  };

  const sendFromMemory = (priority: number): Step => {
    const waiting = queue.uncommitted[priority] ?? [];
    for (let index = firstBehind(waiting, position[priority] ?? 0); index < waiting.length; index++) {
      const held = waiting[index];
      if (held === undefined || !held.open) continue;
      const { message, sequence } = held.pending;
      const remaining = held.expires === 0 ? undefined : held.expires - host.now();
      const redelivered = sequence <= (redeliveredUpTo[priority] ?? 0);
      const entry: Entry = { message, priority, sequence, remaining, redelivered };
      return offer(entry, sizeOf(message), held) ? 'sent' : 'blocked';
    }
    return 'exhausted';
  };

  const fillPriority = (priority: number): Step => {
    while (outstanding.size < window && !stopped) {
      if (allowance <= 0) return 'blocked';
      const stored = onDisk[priority] === true || ahead[priority]?.length !== 0;
      const step = stored ? sendFromDisk(priority) : sendFromMemory(priority);
      if (step === 'blocked' || (step === 'exhausted' && !stored)) return step;
    }
    return 'blocked';
  };

  const fill = (): void => {
    if (filling || stopped || outstanding.size >= window) return;
    filling = true;
    allowance = PASSED_PER_TURN;
    for (let priority = 0; priority < PRIORITIES; priority++) {
      if (fillPriority(priority) === 'blocked') break;
    }
    filling = false;
    if (allowance <= 0) host.later(fill);
  };

  queue.consumer = {
    wake: fill,
    committed: (priority, sequence) => {
      if (sequence > (position[priority] ?? 0)) onDisk[priority] = true;
    },
    passed: (priority, sequence) => sequence <= (position[priority] ?? 0),
  };

  return {
    acknowledge: ({ priority, sequence }) => {
      const sent = outstanding.get(sequence);
      if (sent === undefined || stopped) return;
      outstanding.delete(sequence);
      host.release({ queue, priority, sequence, size: sent.size, held: sent.held, reason: 'acknowledged' });
      fill();
    },
    wake: fill,
    stop: () => {
      if (stopped) return;
      stopped = true;
      queue.consumer = undefined;
    },
  };
}
