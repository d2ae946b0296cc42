import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bodyOf, orderCheck, TOPIC } from '../messages.ts';
import { openDatabase } from './better-sqlite3.ts';

/** Store for comparison. Its functions block until the messages are on disk. */
export type Peer = {
  /** Appends `count` messages in one transaction. */
  readonly append: (count: number) => void;
  /** Reads and removes the oldest `count` messages in one transaction. Returns their number. */
  readonly drain: (count: number) => number;
  readonly close: () => void;
};

/**
 * Opens better-sqlite3 with a write-ahead log and synchronous=FULL, so that a commit is on disk when it
 * returns.
 */
export function openSqlite(folder: string): Peer {
  const database = openDatabase(join(folder, 'messages.db'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(
    'CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY, topic TEXT NOT NULL, body BLOB NOT NULL)',
  );
  const insert = database.prepare('INSERT INTO messages VALUES (?, ?, ?)');
  const select = database.prepare('SELECT number, topic, body FROM messages ORDER BY number LIMIT ?');
  const remove = database.prepare('DELETE FROM messages WHERE number <= ?');
  const inOrder = orderCheck(1);
  let appended = 0;
  let drained = 0;
  return {
    append: database.transaction((count: number) => {
      for (let index = 0; index < count; index++) {
        appended++;
        insert.run(appended, TOPIC, bodyOf(appended));
      }
    }),
    drain: database.transaction((count: number) => {
      const rows = select.all(count);
      for (const { body } of rows) inOrder(body instanceof Uint8Array ? body : undefined);
      drained += rows.length;
      remove.run(drained);
      return rows.length;
    }),
    close: () => database.close(),
  };
}

/**
 * Opens a file that is only appended to, with one write and one fdatasync for each commit. The file shows the
 * upper limit of the throughput. It cannot be drained.
 */
export function openFile(folder: string): Omit<Peer, 'drain'> {
  const descriptor = openSync(join(folder, 'messages.log'), 'a');
  let appended = 0;
  return {
    append: count => {
      writeSync(descriptor, Buffer.concat(Array.from({ length: count }, () => bodyOf(++appended))));
      fdatasyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
}
