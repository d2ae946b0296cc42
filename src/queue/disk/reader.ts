import type { DecodedEntry, QueueRecord, StoreRecord } from './layout.ts';
import {
  decodeEntry,
  decodeQueue,
  decodeStore,
  entryKey,
  expiryKey,
  placeOf,
  QUEUES,
  queueIdOf,
  STORE_KEY,
  sequenceKey,
} from './layout.ts';
import { damaged } from './preflight.ts';
import type { Indexed, Place, Tables } from './tables.ts';
import { indexKey } from './tables.ts';

/** An entry as it lies on disk; its header is undefined if it is damaged. */
export type StoredEntry = {
  readonly priority: number;
  readonly sequence: number;
  readonly header: DecodedEntry | undefined;
};

/** What is read of LMDB's tables. */
export type Reader = {
  readonly store: () => StoreRecord;
  readonly queues: () => { readonly id: number; readonly record: QueueRecord }[];
  /** Entries of a queue at one priority, in order, behind the sequence `after` and before `end`. */
  readonly entries: (
    queue: number,
    priority: number,
    after: number,
    end: number,
    limit: number,
  ) => StoredEntry[];
  readonly entry: (place: Place) => DecodedEntry | undefined;
  readonly lastEntry: (queue: number, priority: number) => StoredEntry | undefined;
  readonly has: (place: Place) => boolean;
  /** Entries indexed as expiring up to `until`, soonest first, beginning behind `after`. */
  readonly expired: (until: number, limit: number, after: Indexed | undefined) => Indexed[];
  readonly body: (sequence: number) => Buffer | undefined;
  readonly holders: (sequence: number) => number;
  readonly settled: (name: string) => Buffer | undefined;
  readonly names: (prefix: string) => string[];
};

/** `tables` are those of the moment: the file may be opened anew. */
export function readerOver(tables: () => Tables): Reader {
  return {
    store: () => {
      const record = decodeStore(tables().root.get(STORE_KEY));
      if (record === undefined) throw damaged('its own record cannot be read');
      return record;
    },
    queues: () =>
      Array.from(tables().root.getRange(QUEUES)).flatMap(({ key, value }) => {
        const record = decodeQueue(value);
        return record === undefined ? [] : [{ id: queueIdOf(key), record }];
      }),
    entries: (queue, priority, after, before, limit) => {
      const start = entryKey(queue, priority, after + 1);
      const end = entryKey(queue, priority, before);
      return Array.from(tables().entries.getRange({ start, end, limit }), entryFrom);
    },
    lastEntry: (queue, priority) => {
      const start = entryKey(queue, priority + 1, 0);
      const end = entryKey(queue, priority, 0);
      for (const found of tables().entries.getRange({ start, end, reverse: true, limit: 1 }))
        return entryFrom(found);
      return undefined;
    },
    entry: ({ queue, priority, sequence }) => {
      const value = tables().entries.get(entryKey(queue, priority, sequence));
      return value === undefined ? undefined : decodeEntry(value);
    },
    has: ({ queue, priority, sequence }) => tables().entries.doesExist(entryKey(queue, priority, sequence)),
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
    settled: name => tables().settled.get(name),
    names: prefix => Array.from(tables().settled.getKeys({ start: prefix, end: `${prefix}\u{10ffff}` })),
  };
}

function entryFrom({ key, value }: { readonly key: Buffer; readonly value: Buffer }): StoredEntry {
  const { priority, sequence } = placeOf(key, 0);
  return { priority, sequence, header: decodeEntry(value) };
}
