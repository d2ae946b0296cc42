import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure, isDiskFull, reasonOf, systemCode } from '../errors.ts';

/** Holds a data folder for this process until it is released or the process ends, however it ends. */
export type FolderLock = { readonly release: () => void };

/** SQLite's result code if another connection holds the lock (SQLITE_BUSY). */
const BUSY = 5;

/** The locks of this process: a connection that is garbage collected would let go of its lock. */
const entry = new Set<DatabaseSync>();

/**
 * Locks the data folder, which is made (mode 0700) if it is not there. The lock is a transaction that never
 * ends in an empty SQLite file: the kernel's `fcntl` lock on it, of which Node has no function of its own. It
 * ends with the process. Only a user who may open the file (mode 0600) can take it, and nothing is written,
 * so a full disk takes nothing from it. A lock that another process holds is waited for up to `patience`
 * milliseconds, in which this process does nothing else.
 * @throws Failure `data.locked`, `data.unwritable`
 */
export function lockFolder(folder: string, timeoutMs = 0): FolderLock {
  const file = join(folder, 'skerry.lock');
  let connection: DatabaseSync | undefined;
  try {
    makeFile(folder, file);
    connection = new DatabaseSync(file, { timeout: timeoutMs });
    connection.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (thrown) {
    connection?.close();
    throw isBusy(thrown) ? inUse(folder, file) : unwritableFolder(folder, thrown);
  }
  entry.add(connection);
  return {
    release: () => {
      if (entry.delete(connection)) connection.close();
    },
  };
}

/**
 * Makes the lock file if it is not there. One that is there is never opened here: whenever a process closes a
 * file, the kernel takes from it every `fcntl` lock that it has on that file (POSIX, fcntl).
 */
function makeFile(folder: string, file: string): void {
  makeFolder(folder);
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (thrown) {
    if (systemCode(thrown) !== 'EEXIST') throw thrown;
    accessSync(file, constants.R_OK | constants.W_OK);
  }
}

/**
 * Makes a folder and those above it. Node's own `recursive` never ends where a folder cannot be made, as in
 * /proc.
 */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') return;
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
    makeFolder(dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
  }
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && thrown.errcode === BUSY;
}

function inUse(folder: string, file: string): Failure {
  const pid = holderOf(file);
  const holder = pid === undefined ? 'another hub' : `another hub (pid ${pid})`;
  return new Failure(
    'data.locked',
    `The data folder ${folder} is in use by ${holder}: stop it, or name another folder with --data DIR.`,
  );
}

/**
 * The process that holds the lock, by proc_locks(5); undefined if it has just ended, or is of another
 * container.
 */
function holderOf(file: string): string | undefined {
  const { ino } = statSync(file, { bigint: true });
  const lock = new RegExp(`^\\d+: POSIX +\\S+ +WRITE +(\\d+) \\S+:${ino} `, 'm');
  return lock.exec(readFileSync('/proc/locks', 'latin1'))?.[1];
}

/** The Failure `data.unwritable` for a data folder in which something cannot be made. */
export function unwritableFolder(folder: string, thrown: unknown): Failure {
  const remedy = isDiskFull(thrown)
    ? 'the hub must create files there, so free space on its disk, or name'
    : 'name';
  return new Failure(
    'data.unwritable',
    `The data folder ${folder} cannot be written (${reasonOf(thrown)}): ${remedy} another with --data DIR.`,
  );
}
