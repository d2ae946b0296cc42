import type { Database } from '../disk/database.ts';
import type { QueueShare } from '../types.ts';
import type { QueueState } from './queue-state.ts';
import { queueState } from './queue-state.ts';

/**
 * Queues by name and by identifier. A new queue can use the name of a purged queue immediately. The purged
 * queue exists until its entries are removed.
 */
export type Registry = {
  /** Returns the queue with this name. Creates the queue if it does not exist. */
  readonly findOrCreate: (name: string) => QueueState;
  readonly find: (name: string) => QueueState | undefined;
  readonly byId: (id: number) => QueueState | undefined;
  /** Adds a queue whose record is in a journal but not in LMDB. */
  readonly adopt: (id: number, name: string) => void;
  /** Marks a queue as purged. A new queue can then use its name. */
  readonly retire: (queue: QueueState) => void;
  /** Charges the bytes of a queue to a share. The queue need not exist yet. */
  readonly assign: (name: string, share: QueueShare) => void;
  readonly unassign: (name: string) => void;
  readonly shareOf: (name: string) => QueueShare | undefined;
  /** Deletes a purged queue that is empty. */
  readonly forget: (queue: QueueState) => void;
  /** Returns the queues that are not purged. */
  readonly active: () => IterableIterator<QueueState>;
  readonly all: () => IterableIterator<QueueState>;
  /** Returns the number of removed entries that are still in LMDB. */
  readonly removing: () => number;
};

export function loadQueues(database: Database): Registry {
  const byName = new Map<string, QueueState>();
  const every = new Map<number, QueueState>();
  const shares = new Map<string, QueueShare>();
  let lastId = 0;

  const add = (queue: QueueState): void => {
    lastId = Math.max(lastId, queue.id);
    every.set(queue.id, queue);
    if (queue.retired) return;
    byName.set(queue.name, queue);
    queue.share = shares.get(queue.name);
  };

  const create = (id: number, name: string): QueueState => {
    const queue = queueState(id, { name, retired: false, depth: 0, bytes: 0 }, false);
    add(queue);
    return queue;
  };

  for (const { id, record } of database.queues()) add(queueState(id, record, true));

  return {
    findOrCreate: name => byName.get(name) ?? create(lastId + 1, name),
    find: name => byName.get(name),
    byId: id => every.get(id),
    adopt: (id, name) => {
      if (!every.has(id)) create(id, name);
    },
    assign: (name, share) => {
      const queue = byName.get(name);
      queue?.share?.add(-queue.bytes);
      shares.set(name, share);
      if (queue === undefined) return;
      queue.share = share;
      share.add(queue.bytes);
    },
    unassign: name => {
      const queue = byName.get(name);
      shares.delete(name);
      if (queue === undefined) return;
      queue.share?.add(-queue.bytes);
      queue.share = undefined;
    },
    shareOf: name => shares.get(name),
    retire: queue => {
      queue.retired = true;
      if (byName.get(queue.name) === queue) byName.delete(queue.name);
    },
    forget: queue => {
      every.delete(queue.id);
    },
    active: () => byName.values(),
    all: () => every.values(),
    removing: () => {
      let count = 0;
      for (const queue of every.values()) count += queue.removing.size();
      return count;
    },
  };
}
