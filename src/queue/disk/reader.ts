import type { Chunk } from './chunk.ts';
import { chunkFrom, indexBehind, sequenceAt } from './chunk.ts';
import type { QueueRecord, StoreRecord } from './layout.ts';
import {
  decodeQueue,
  decodeStore,
  entriesOf,
  expiryKey,
  placeKey,
  placeOf,
  QUEUES,
  queueIdOf,
  STORE_KEY,
  sequenceKey,
} from './layout.ts';
import { damaged } from './preflight.ts';
import type { EntryKey, IndexedExpiry, Tables } from './tables.ts';
import { indexKey } from './tables.ts';

/** Stored entry and its location. The header of the entry is unknown if the chunk is damaged. */
export type StoredEntry = {
  readonly priority: number;
  readonly sequence: number;
  readonly chunk: Chunk;
  readonly index: number;
};

/** Byte that is greater than any UTF-8 byte. Ends the range of all keys with a prefix. */
const BEHIND_NAMES = Buffer.of(0xff);

/** Read operations on LMDB's tables. */
export type StoreReader = {
  readonly store: () => StoreRecord;
  readonly queues: () => { readonly id: number; readonly record: QueueRecord }[];
  /**
   * Returns up to `limit` entries of one queue and priority in order. The entries are behind the sequence
   * `after` and before the sequence `end`.
   */
  readonly entries: (
    queue: number,
    priority: number,
    after: number,
    end: number,
    limit: number,
  ) => StoredEntry[];
  /** Returns the chunk with the first entry of a queue and priority behind the sequence `after`. */
  readonly chunk: (queue: number, priority: number, after: number) => Chunk | undefined;
  /** Returns the entry with this key. Undefined if the entry does not exist. */
  readonly find: (place: EntryKey) => StoredEntry | undefined;
  readonly lastEntry: (queue: number, priority: number) => StoredEntry | undefined;
  /**
   * Returns up to `limit` entries of the expiry index, sorted by expiry. Begins behind the position `after`
   * and ends at the expiry `until` (hub time: the hub's own clock for TTLs).
   */
  readonly expired: (until: number, limit: number, after: IndexedExpiry | undefined) => IndexedExpiry[];
  readonly body: (sequence: number) => Buffer | undefined;
  readonly holders: (sequence: number) => number;
  readonly metadata: (name: string) => Buffer | undefined;
  readonly hasMetadata: (name: string) => boolean;
  readonly names: (prefix: string) => string[];
};

/**
 * Creates a reader. `tables` returns the open tables, which change when the file is reopened. `version`
 * returns a number that changes with each write.
 */
export function createReader(tables: () => Tables, version: () => number): StoreReader {
  /** Last chunk that was read. Consecutive reads mostly use the same chunk. */
  let cached: { readonly place: EntryKey; readonly chunk: Chunk; readonly version: number } | undefined;

  const chunkAround = (place: EntryKey): Chunk | undefined => {
    if (
      cached !== undefined &&
      cached.version === version() &&
      isBetween(place, cached.place, cached.chunk.last)
    ) {
      return cached.chunk;
    }
    const chunk = chunkWith(tables(), place);
    cached = chunk && { place, chunk, version: version() };
    return chunk;
  };

  return {
    store: () => {
      const record = decodeStore(tables().root.get(STORE_KEY));
      if (record === undefined) throw damaged('the record of the store cannot be read');
      return record;
    },
    queues: () =>
      Array.from(tables().root.getRange(QUEUES)).flatMap(({ key, value }) => {
        const record = decodeQueue(value);
        return record === undefined ? [] : [{ id: queueIdOf(key), record }];
      }),
    entries: (queue, priority, after, before, limit) => {
      const found: StoredEntry[] = [];
      let chunk = chunkAround({ queue, priority, sequence: after + 1 });
      while (chunk !== undefined) {
        for (let index = indexBehind(chunk, after); index < chunk.entries; index++) {
          if (found.length === limit || sequenceAt(chunk, index) >= before) return found;
          found.push(storedAt(chunk, priority, index));
        }
        chunk = chunkAround({ queue, priority, sequence: chunk.last + 1 });
      }
      return found;
    },
    chunk: (queue, priority, after) => {
      let chunk = chunkAround({ queue, priority, sequence: after + 1 });
      // If the last entries of a chunk were removed, the chunk possibly has no entry behind `after`. The next
      // chunk is then read.
      while (chunk !== undefined && indexBehind(chunk, after) === chunk.entries)
        chunk = chunkAround({ queue, priority, sequence: chunk.last + 1 });
      return chunk;
    },
    lastEntry: (queue, priority) => {
      const start = placeKey(queue, priority + 1, 0);
      const end = placeKey(queue, priority, 0);
      for (const { key, value } of tables().entries.getRange({ start, end, reverse: true, limit: 1 })) {
        const chunk = chunkOf(key, value);
        return storedAt(chunk, priority, chunk.entries - 1);
      }
      return undefined;
    },
    find: place => {
      const { priority, sequence } = place;
      const chunk = chunkAround(place);
      if (chunk === undefined) return undefined;
      const index = indexBehind(chunk, sequence - 1);
      const exists = index < chunk.entries && sequenceAt(chunk, index) === sequence;
      return exists ? storedAt(chunk, priority, index) : undefined;
    },
    expired: (until, limit, after) => {
      const start = after && indexKey(after.expires, { ...after.place, sequence: after.place.sequence + 1 });
      const end = expiryKey(until, 0xffff_ffff, 0xff, Number.MAX_SAFE_INTEGER);
      const range = start === undefined ? { end, limit } : { start, end, limit };
      return Array.from(tables().expiries.getKeys(range), key => ({
        expires: key.readDoubleBE(0),
        place: placeOf(key, 8),
      }));
    },
    body: sequence => tables().bodies.get(sequenceKey(sequence)),
    holders: sequence => tables().holders.get(sequenceKey(sequence))?.readUInt32BE() ?? 1,
    metadata: name => tables().metadata.get(Buffer.from(name)),
    hasMetadata: name => tables().metadata.doesExist(Buffer.from(name)),
    names: prefix => {
      const start = Buffer.from(prefix);
      const end = Buffer.concat([start, BEHIND_NAMES]);
      return Array.from(tables().metadata.getKeys({ start, end }), key => key.toString());
    },
  };
}

/** True if `place` has the queue and priority of `first`, and a sequence from `first.sequence` to `last`. */
function isBetween({ queue, priority, sequence }: EntryKey, first: EntryKey, last: number): boolean {
  return (
    queue === first.queue && priority === first.priority && sequence >= first.sequence && sequence <= last
  );
}

/**
 * Returns the chunk that contains an entry. If no chunk contains it, returns the next chunk of the same queue
 * and priority.
 */
export function chunkWith({ entries }: Tables, { queue, priority, sequence }: EntryKey): Chunk | undefined {
  const start = placeKey(queue, priority, sequence);
  const end = placeKey(queue, priority + 1, 0);
  for (const { key, value } of entries.getRange({ start, end, limit: 1 })) return chunkOf(key, value);
  return undefined;
}

function chunkOf(key: Buffer, value: Buffer): Chunk {
  return chunkFrom(key, placeOf(key, 0).sequence, entriesOf(key), value);
}

function storedAt(chunk: Chunk, priority: number, index: number): StoredEntry {
  return { priority, sequence: sequenceAt(chunk, index), chunk, index };
}
