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
  /** Returns hub time (the hub's own clock for TTLs) in milliseconds. */
  readonly now: () => number;
  readonly remove: (removed: RemovedEntry, reason: RemovalReason) => void;
  /** Handles an entry with a damaged header. The expiry of this entry is only in the expiry index. */
  readonly damaged: (removed: RemovedEntry) => void;
  /** Handles a record of the expiry index for an entry that does not exist. */
  readonly danglingIndex: (removed: RemovedEntry) => void;
};

/** Removes expired entries and the entries of purged queues, even if a queue has no consumer. */
export type Expiry = {
  /**
   * Runs one step, which removes at most MAX_SWEEP_ENTRIES entries. Returns true if more entries are left to
   * remove.
   */
  readonly step: () => boolean;
  /** Makes the next step read the expiry index from its beginning. */
  readonly restart: () => void;
};

/**
 * Creates the sweep that removes expired entries. Most expired entries are at the head of a queue. The expiry
 * index in LMDB lists all entries that expire before a preceding entry. The time of a step therefore grows
 * with the number of expired entries, not with the number of waiting entries.
 */
export function createExpiry(host: ExpiryHost): Expiry {
  const { database, registry, now, remove } = host;
  /** Position in the expiry index that the current sweep has reached. */
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

/** Removes up to `limit` entries of a purged queue and returns their number. */
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

/** Removes up to `limit` expired entries of a queue, sets its next expiry and returns their number. */
function sweepHeads(queue: QueueState, limit: number, { database, now, remove }: ExpiryHost): number {
  const time = now();
  let count = 0;
  let nextExpiry = Number.POSITIVE_INFINITY;

  /**
   * Returns true if the entry stays in the queue. An expired entry in flight stays, because its receiver can
   * still acknowledge it.
   */
  const stays = ({ expires, priority, sequence }: RemovedEntry): boolean => {
    if (expires <= time && queue.consumer?.hasPassed(priority, sequence) !== true) return false;
    nextExpiry = Math.min(nextExpiry, expires);
    return true;
  };

  for (let priority = 0; priority < PRIORITIES; priority++) {
    for (const { removed } of browseStored(queue, priority, database)) {
      if (count >= limit) return count;
      if (!stays(removed)) {
        remove(removed, 'expired');
        count++;
      } else if (removed.expires > time) break;
    }
    for (const { removed } of browseLane(queue, priority)) {
      if (stays(removed)) continue;
      remove(removed, 'expired');
      count++;
    }
  }
  queue.nextExpiry = nextExpiry;
  return count;
}
