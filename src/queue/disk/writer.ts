import { without } from './chunk.ts';
import type { QueueRecord, StoreRecord } from './layout.ts';
import {
  chunkKey,
  encodeCount,
  encodeQueue,
  encodeStore,
  queueKey,
  STORE_KEY,
  sequenceKey,
} from './layout.ts';
import { chunkWith } from './reader.ts';
import type { EntryKey, Tables } from './tables.ts';
import { indexKey } from './tables.ts';

/** Write operations of a checkpoint. They are atomic: a reader sees all of them or none. */
export type StoreWriter = {
  /** Returns memory for a value. Valid until the end of the transaction. */
  readonly space: (bytes: number) => Buffer;
  /**
   * Appends a chunk to a queue and priority. `last` is the sequence of its last entry. `entries` is the
   * number of its entries.
   */
  readonly putChunk: (queue: number, priority: number, last: number, entries: number, value: Buffer) => void;
  /**
   * Removes the entries with the given sorted sequences. If a chunk is damaged, the removal of its first
   * entry removes the whole chunk.
   */
  readonly removeEntries: (queue: number, priority: number, sequences: readonly number[]) => void;
  readonly putExpiry: (expires: number, place: EntryKey) => void;
  readonly removeExpiry: (expires: number, place: EntryKey) => void;
  readonly putBody: (sequence: number, record: Buffer, holders: number) => void;
  /** Sets the number of queues that use a body. 0 deletes the body. */
  readonly setHolders: (sequence: number, holders: number) => void;
  readonly putQueue: (id: number, record: QueueRecord) => void;
  readonly removeQueue: (id: number) => void;
  readonly putMetadata: (name: string, value: Buffer | undefined) => void;
  readonly putStore: (record: StoreRecord) => void;
};

/**
 * Creates a writer. Ignores the promises of single writes, because the promise of the whole transaction
 * reports failures.
 */
export function createWriter(tables: Tables, space: (bytes: number) => Buffer): StoreWriter {
  const { root, entries, bodies, holders, expiries, metadata } = tables;
  const setHolders = (sequence: number, count: number): void => {
    const key = sequenceKey(sequence);
    if (count > 1) void holders.put(key, encodeCount(count));
    else void holders.remove(key);
    if (count === 0) void bodies.remove(key);
  };
  return {
    space,
    putChunk: (queue, priority, last, count, value) => {
      void entries.put(chunkKey(queue, priority, last, count), value);
    },
    removeEntries: (queue, priority, sequences) => {
      for (let index = 0; index < sequences.length; ) {
        const sequence = sequences[index] ?? 0;
        const chunk = chunkWith(tables, { queue, priority, sequence });
        if (chunk === undefined) return;
        const from = index;
        while ((sequences[index] ?? Number.POSITIVE_INFINITY) <= chunk.last) index++;
        const rest = chunk.whole ? without(chunk, sequences, from, index, space) : undefined;
        if (rest?.entries === chunk.entries) continue;
        void entries.remove(chunk.key);
        if (rest === undefined || rest.entries === 0) continue;
        void entries.put(chunkKey(queue, priority, chunk.last, rest.entries), rest.value);
      }
    },
    putExpiry: (expires, place) => void expiries.put(indexKey(expires, place), NOTHING),
    removeExpiry: (expires, place) => void expiries.remove(indexKey(expires, place)),
    putBody: (sequence, record, count) => {
      void bodies.put(sequenceKey(sequence), record);
      if (count > 1) void holders.put(sequenceKey(sequence), encodeCount(count));
    },
    setHolders,
    putQueue: (id, record) => void root.put(queueKey(id), encodeQueue(record)),
    removeQueue: id => void root.remove(queueKey(id)),
    putMetadata: (name, value) => {
      if (value === undefined) void metadata.remove(Buffer.from(name));
      else void metadata.put(Buffer.from(name), value);
    },
    putStore: record => void root.put(STORE_KEY, encodeStore(record)),
  };
}

const NOTHING = Buffer.alloc(1);
