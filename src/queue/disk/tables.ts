import type { RootDatabase, Database as Table } from 'lmdb';
import { expiryKey } from './layout.ts';

/** Queue, priority and sequence of an entry. */
export type EntryKey = { readonly queue: number; readonly priority: number; readonly sequence: number };

/** Index record of an entry that expires before one ahead of it. */
export type IndexedExpiry = { readonly expires: number; readonly place: EntryKey };

/** LMDB's root table, which also runs transactions. */
export type Root = RootDatabase<Buffer, Buffer>;

/** LMDB's tables by their names in the layout. */
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
