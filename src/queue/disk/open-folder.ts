import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { Failure, isDiskFull, reasonOf, systemCode } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { writeFully } from '../journal/block-file.ts';
import type { Database } from './database.ts';
import { openDatabase } from './database.ts';
import { damaged, preflight } from './preflight.ts';
import { findDamage } from './verify.ts';

export type Opened = {
  readonly database: Database;
  /** Newest folder that a damaged store was moved to. Undefined if no store was moved. */
  readonly setAside: string | undefined;
};

/** Bytes of a block as counted by `blocks` in stat(2). */
const BLOCK_BYTES = 512;

/** Name of the marker file. If this file exists, the next start checks all pages. */
const CHECK_MARK = 'suspect';

/**
 * Opens the database of `folder`. Creates the folder with mode 0700 if it does not exist. A damaged database
 * is moved to `<folder>.bad-<time>`, and an empty database replaces it. LMDB can end the process at a damaged
 * page. Therefore the next start checks all pages if this process ends before it calls `cancelCheck`.
 * @throws Failure `store.unreadable`, `store.newer`, `store.older`
 */
export async function openFolder(folder: string, clock: Clock, log: Log): Promise<Opened> {
  const opened = await open(folder);
  if (!(opened instanceof Failure)) return { database: opened, setAside: newestSetAside(folder) };
  setAside(folder, opened.message, clock, log);
  const fresh = await open(folder);
  if (fresh instanceof Failure) throw unreadable(folder, fresh);
  return { database: fresh, setAside: newestSetAside(folder) };
}

/**
 * Writes the marker file, so that the next start checks all pages. Ignores errors of the disk. Without the
 * marker file, the next start makes no check.
 */
export function requestCheck(folder: string): void {
  tolerate(() => writeFileSync(join(folder, CHECK_MARK), '', { mode: 0o600 }));
}

export function cancelCheck(folder: string): void {
  tolerate(() => rmSync(join(folder, CHECK_MARK), { force: true }));
}

/** Runs `action`. Returns undefined after a system error. */
export function tolerate<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown;
    return undefined;
  }
}

/**
 * Opens the database. Returns Failure `store.damaged` if the database is damaged. Throws all other errors.
 */
async function open(folder: string): Promise<Database | Failure> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const odd = preflight(folder);
    const damage = odd || existsSync(join(folder, CHECK_MARK)) ? findDamage(folder) : undefined;
    if (damage !== undefined) return damaged(damage);
    requestCheck(folder);
    reserveLock(folder);
    const database = await openDatabase(folder);
    for (const name of readdirSync(folder)) tolerate(() => makePrivate(join(folder, name)));
    return database;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw unreadable(folder, thrown);
    if (thrown.code === 'store.damaged') return thrown;
    throw thrown;
  }
}

/** Bytes of LMDB's lock file that LMDB maps into memory: a header and the reader table, in whole pages. */
const LOCK_BYTES = 3 * 4096;

/**
 * Allocates all blocks of LMDB's lock file. LMDB writes to this file through a memory map. On a full disk, a
 * write to a page without a block would end the process (SIGBUS).
 */
function reserveLock(folder: string): void {
  const fd = openSync(join(folder, 'lock.mdb'), constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const { blocks } = fstatSync(fd);
    if (blocks * BLOCK_BYTES < LOCK_BYTES) writeFully(fd, Buffer.alloc(LOCK_BYTES), 0);
  } finally {
    closeSync(fd);
  }
}

/**
 * Sets the mode of a file to 0600, because LMDB creates its files with mode 0664 less the umask. Skips a file
 * with the correct mode, because the disk can be read-only.
 */
function makePrivate(file: string): void {
  if ((statSync(file).mode & 0o777) !== 0o600) chmodSync(file, 0o600);
}

function setAside(folder: string, reason: string, clock: Clock, log: Log): void {
  const stamp = new Date(clock.wall()).toISOString().replace(/[-:]|\.\d+/g, '');
  const base = `${folder}.bad-${stamp}`;
  let target = base;
  for (let copy = 2; existsSync(target); copy++) target = `${base}-${copy}`;
  try {
    renameSync(folder, target);
  } catch (thrown) {
    throw unreadable(folder, thrown);
  }
  log.error(
    `The store is damaged (${reason}): it was moved to ${target}, and an empty store replaces it. ` +
      'The messages that waited in it are not delivered.',
  );
}

function newestSetAside(folder: string): string | undefined {
  const prefix = `${basename(folder)}.bad-`;
  const names = readdirSync(dirname(folder)).filter(name => name.startsWith(prefix));
  const newest = names.toSorted().at(-1);
  return newest === undefined ? undefined : join(dirname(folder), newest);
}

function unreadable(folder: string, thrown: unknown): Failure {
  const remedy = isDiskFull(thrown)
    ? 'free space on its disk, or name another data folder with --data DIR'
    : 'check the disk and the permissions of the folder';
  return new Failure(
    'store.unreadable',
    `The store in ${folder} cannot be opened (${reasonOf(thrown)}): ${remedy}.`,
  );
}
