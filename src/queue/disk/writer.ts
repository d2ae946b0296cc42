import type { EntryHeader, QueueRecord, StoreRecord } from './layout.ts';
import {
  encodeCount,
  encodeEntry,
  encodeQueue,
  encodeStore,
  entryKey,
  queueKey,
  STORE_KEY,
  sequenceKey,
} from './layout.ts';
import type { Place, Tables } from './tables.ts';
import { indexKey } from './tables.ts';

/** What a checkpoint writes. Nothing of it is seen by readers before all of it is. */
export type Writer = {
  readonly putEntry: (place: Place, header: EntryHeader, record: Buffer | undefined) => void;
  readonly removeEntry: (place: Place) => void;
  readonly putExpiry: (expires: number, place: Place) => void;
  readonly removeExpiry: (expires: number, place: Place) => void;
  readonly putBody: (sequence: number, record: Buffer, holders: number) => void;
  /** How many queues hold a body; 0 takes it away. */
  readonly setHolders: (sequence: number, holders: number) => void;
  readonly putQueue: (id: number, record: QueueRecord) => void;
  readonly removeQueue: (id: number) => void;
  readonly putSettled: (name: string, value: Buffer | undefined) => void;
  readonly putStore: (record: StoreRecord) => void;
};

export function writerOver({ root, entries, bodies, holders, expiries, settled }: Tables): Writer {
  const setHolders = (sequence: number, count: number): void => {
    const key = sequenceKey(sequence);
    if (count > 1) watched(holders.put(key, encodeCount(count)));
    else watched(holders.remove(key));
    if (count === 0) watched(bodies.remove(key));
  };
  return {
    putEntry: ({ queue, priority, sequence }, header, record) =>
      watched(entries.put(entryKey(queue, priority, sequence), encodeEntry(header, record))),
    removeEntry: ({ queue, priority, sequence }) =>
      watched(entries.remove(entryKey(queue, priority, sequence))),
    putExpiry: (expires, place) => watched(expiries.put(indexKey(expires, place), NOTHING)),
    removeExpiry: (expires, place) => watched(expiries.remove(indexKey(expires, place))),
    putBody: (sequence, record, count) => {
      watched(bodies.put(sequenceKey(sequence), record));
      if (count > 1) watched(holders.put(sequenceKey(sequence), encodeCount(count)));
    },
    setHolders,
    putQueue: (id, record) => watched(root.put(queueKey(id), encodeQueue(record))),
    removeQueue: id => watched(root.remove(queueKey(id))),
    putSettled: (name, value) => {
      watched(value === undefined ? settled.remove(name) : settled.put(name, value));
    },
    putStore: record => watched(root.put(STORE_KEY, encodeStore(record))),
  };
}

const NOTHING = Buffer.alloc(1);

/** Each write has a promise of lmdb's; the transaction's own tells what became of them all. */
function watched(write: Promise<unknown>): void {
  write.catch(() => undefined);
}
