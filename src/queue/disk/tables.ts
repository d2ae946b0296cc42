import type { RootDatabase, Database as Table } from 'lmdb';
import { expiryKey } from './layout.ts';

/** Key of an entry: queue, priority and sequence. */
export type EntryKey = { readonly queue: number; readonly priority: number; readonly sequence: number };

/** Record of the expiry index, for an entry that expires before a preceding entry. */
export type IndexedExpiry = { readonly expires: number; readonly place: EntryKey };

/** Root table of LMDB. Also runs transactions. */
export type Root = RootDatabase<Buffer, Buffer>;

/**
 * LMDB tables (see layout.ts). The fields have the names of the tables, except `metadata`: its table is named
 * `settled`.
 */
export type Tables = {
  readonly root: Root;
  readonly entries: Table<Buffer, Buffer>;
  readonly bodies: Table<Buffer, Buffer>;
  readonly holders: Table<Buffer, Buffer>;
  readonly expiries: Table<Buffer, Buffer>;
  readonly metadata: Table<Buffer, Buffer>;
};

export function openTables(root: Root): Tables {
  const table = (name: string) =>
    root.openDB<Buffer, Buffer>({ name, keyEncoding: 'binary', encoding: 'binary', cache: false });
  return {
    root,
    entries: table('entries'),
    bodies: table('bodies'),
    holders: table('holders'),
    expiries: table('expiries'),
    metadata: table('settled'),
  };
}

export function indexKey(expires: number, { queue, priority, sequence }: EntryKey): Buffer {
  return expiryKey(expires, queue, priority, sequence);
}
