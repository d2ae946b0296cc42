import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure, isDiskFull, reasonOf, systemCode } from '../errors.ts';

/** Lock of a data folder. Held by this process until `release` or until the process ends. */
export type FolderLock = { readonly release: () => void };

/** SQLite's result code if another connection holds the lock (SQLITE_BUSY). */
const BUSY = 5;

/**
 * SQLite connections that hold the locks of this process. The set prevents the garbage collection of a
 * connection, which would release its lock.
 */
const connections = new Set<DatabaseSync>();

/**
 * Locks the data folder. Creates the folder (mode 0700) if it does not exist. Node has no function for
 * `fcntl` locks, so the lock is an open transaction in an empty SQLite file: during the transaction SQLite
 * holds an `fcntl` lock. The lock ends with the process. Other users cannot take the lock, because they
 * cannot open the file (mode 0600). A full disk does not affect the lock, because nothing is written. If
 * another process holds the lock, this function blocks for up to `timeoutMs`.
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
  connections.add(connection);
  return {
    release: () => {
      if (connections.delete(connection)) connection.close();
    },
  };
}

/**
 * Creates the lock file if it does not exist. An existing file is not opened here, because closing it would
 * release all `fcntl` locks of this process on the file (POSIX, fcntl).
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
 * Creates a folder and its parents. Does not use Node's option `recursive`: a call with this option never
 * returns if a folder cannot be created, as in /proc.
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
 * Returns the pid of the process that holds the lock, from /proc/locks (proc_locks(5)). Undefined if the
 * process has ended or is in another container.
 */
function holderOf(file: string): string | undefined {
  const { ino } = statSync(file, { bigint: true });
  const lock = new RegExp(`^\\d+: POSIX +\\S+ +WRITE +(\\d+) \\S+:${ino} `, 'm');
  return lock.exec(readFileSync('/proc/locks', 'latin1'))?.[1];
}

/** Creates the Failure `data.unwritable` for a data folder that cannot be written. */
export function unwritableFolder(folder: string, thrown: unknown): Failure {
  const remedy = isDiskFull(thrown)
    ? 'the hub must create files there, so free space on its disk, or name'
    : 'name';
  return new Failure(
    'data.unwritable',
    `The data folder ${folder} cannot be written (${reasonOf(thrown)}): ${remedy} another with --data DIR.`,
  );
}
