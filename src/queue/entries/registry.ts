import type { Database } from '../disk/database.ts';
import type { QueueShare } from '../types.ts';
import type { QueueState } from './queue-state.ts';
import { queueState } from './queue-state.ts';

/** Queues by name. A purged queue loses its name at once and exists until its entries are removed. */
export type Registry = {
  /** Queue of that name, created if it does not exist. */
  readonly findOrCreate: (name: string) => QueueState;
  readonly find: (name: string) => QueueState | undefined;
  readonly byId: (id: number) => QueueState | undefined;
  /** Adds a queue that a journal names and LMDB does not know. */
  readonly adopt: (id: number, name: string) => void;
  readonly retire: (queue: QueueState) => void;
  /** Counts a queue in a share from now on, whether it exists yet or not. */
  readonly assign: (name: string, share: QueueShare) => void;
  readonly unassign: (name: string) => void;
  readonly shareOf: (name: string) => QueueShare | undefined;
  /** Deletes a retired queue that is empty. */
  readonly forget: (queue: QueueState) => void;
  /** Queues that have a name. */
  readonly active: () => IterableIterator<QueueState>;
  readonly all: () => IterableIterator<QueueState>;
  /** Number of entries that are removed and still in LMDB. */
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
