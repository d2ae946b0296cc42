import type { RemovalReason } from '../delivery/drain-host.ts';
import type { Database } from '../disk/database.ts';
import type { IndexedExpiry } from '../disk/tables.ts';
import { MAX_SWEEP_ENTRIES } from '../limits.ts';
import { PRIORITIES } from '../types.ts';
import { browseLane, browseStored } from './browse.ts';
import type { QueueState } from './queue-state.ts';
import { laneBegins } from './queue-state.ts';
import type { Registry } from './registry.ts';
import type { RemovedEntry } from './removed-entry.ts';
import { removedDamagedEntry, removedEntryOf } from './removed-entry.ts';

export type ExpiryHost = {
  readonly database: Database;
  readonly registry: Registry;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  readonly remove: (removed: RemovedEntry, reason: RemovalReason) => void;
  /** An entry whose header is damaged: only the index knows when it expires. */
  readonly damaged: (removed: RemovedEntry) => void;
  /** The index names an entry that is not there. */
  readonly danglingIndex: (removed: RemovedEntry) => void;
};

/** Takes away what has expired, and what belongs to purged queues, without any consumer. */
export type Expiry = {
  /** One step, MAX_SWEEP_ENTRIES at most; true if there is more to do. */
  readonly step: () => boolean;
  /** The next step looks at the whole index again. */
  readonly restart: () => void;
};

/**
 * Looking at the heads of queues finds all but what expires before an entry ahead of it, and for that LMDB has
 * an index: what a step costs grows with what it finds, not with what waits.
 */
export function createExpiry(host: ExpiryHost): Expiry {
  const { database, registry, now, remove } = host;
  /** How far the index has been read in this sweep. */
  let reached: IndexedExpiry | undefined;

  const removeIndexed = ({ expires, place }: IndexedExpiry): void => {
    const queue = registry.byId(place.queue);
    const { priority, sequence } = place;
    if (queue === undefined || queue.removing.has(sequence)) return;
    if (sequence >= laneBegins(queue, priority)) return;
    if (queue.consumer?.hasPassed(priority, sequence) === true) return;
    const found = database.find(place);
    if (found === undefined)
      host.danglingIndex(removedDamagedEntry(queue, priority, sequence, expires, 'index'));
    else if (!found.chunk.whole) host.damaged(removedDamagedEntry(queue, priority, sequence, expires));
    else remove(removedEntryOf(queue, found), 'expired');
  };

  const sweepIndex = (limit: number): number => {
    const found = database.expired(now(), limit, reached);
    for (const one of found) removeIndexed(one);
    reached = found.at(-1) ?? reached;
    return found.length;
  };

  return {
    step: () => {
      let allowance = MAX_SWEEP_ENTRIES;
      for (const queue of registry.all()) {
        if (allowance <= 0) return true;
        if (queue.retired) allowance -= sweepRetired(queue, allowance, database, remove);
        else if (queue.depth > 0 && queue.nextExpiry <= now())
          allowance -= sweepHeads(queue, allowance, host);
      }
      return allowance <= 0 || sweepIndex(allowance) === allowance;
    },
    restart: () => {
      reached = undefined;
    },
  };
}

/** Takes away up to `limit` entries of a purged queue; returns how many. */
function sweepRetired(
  queue: QueueState,
  limit: number,
  database: Database,
  remove: ExpiryHost['remove'],
): number {
  let count = 0;
  for (let priority = 0; priority < PRIORITIES; priority++) {
    for (const { removed } of browseStored(queue, priority, database)) {
      if (count >= limit) return count;
      remove(removed, 'purged');
      count++;
    }
  }
  return count;
}

/** Takes away up to `limit` expired entries of a queue, and notes when to look at it again; returns how many. */
function sweepHeads(queue: QueueState, limit: number, { database, now, remove }: ExpiryHost): number {
  const time = now();
  let count = 0;
  let nextExpiry = Number.POSITIVE_INFINITY;

  /** True if the entry lives on. What is with its receiver may yet be acknowledged, or is looked at again. */
  const lives = ({ expires, priority, sequence }: RemovedEntry): boolean => {
    if (expires <= time && queue.consumer?.hasPassed(priority, sequence) !== true) return false;
    nextExpiry = Math.min(nextExpiry, expires);
    return true;
  };

  for (let priority = 0; priority < PRIORITIES; priority++) {
    for (const { removed } of browseStored(queue, priority, database)) {
      if (count >= limit) return count;
      if (!lives(removed)) {
        remove(removed, 'expired');
        count++;
      } else if (removed.expires > time) break;
    }
    for (const { removed } of browseLane(queue, priority)) {
      if (lives(removed)) continue;
      remove(removed, 'expired');
      count++;
    }
  }
  queue.nextExpiry = nextExpiry;
  return count;
}
