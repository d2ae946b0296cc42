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

/** The unit of `blocks` in stat(2). */
const BLOCK_BYTES = 512;

/** File that makes the next start check all pages. */
const CHECK_MARK = 'suspect';

/**
 * Opens the database of `folder`, created with mode 0700 if it does not exist. A damaged one is moved to
 * `<folder>.bad-<time>`, never repaired, and an empty one is opened. Until `cancelCheck` is called, the next
 * start checks all pages, because LMDB may end the process at a damaged page.
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
 * Creates the check mark. A failing disk may lose or keep it, which costs at most a missed or needless check.
 */
export function requestCheck(folder: string): void {
  tolerate(() => writeFileSync(join(folder, CHECK_MARK), '', { mode: 0o600 }));
}

export function cancelCheck(folder: string): void {
  tolerate(() => rmSync(join(folder, CHECK_MARK), { force: true }));
}

/** Runs `action`. Undefined if the system refuses it. */
export function tolerate<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown;
    return undefined;
  }
}

/** Opens the database. Returns a Failure `store.damaged`, throws any other. */
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

/** Bytes of LMDB's lock file that it maps: a header and the reader table, in whole pages. */
const LOCK_BYTES = 3 * 4096;

/**
 * Allocates all blocks of LMDB's lock file. LMDB writes through a memory map, and a page without a block
 * would end the process (SIGBUS) on a full disk.
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
 * LMDB creates its files with mode 0664 less the umask. The disk may be read-only, so a correct mode is left
 * alone.
 */
function makePrivate(file: string): void {
  if ((statSync(file).mode & 0o777) !== 0o600) chmodSync(file, 0o600);
}

function setAside(folder: string, reason: string, clock: Clock, log: Log): void {
  const stamp = new Date(clock.wall()).toISOString().replace(/[-:]|\.\d+/g, '');
  const wanted = `${folder}.bad-${stamp}`;
  let target = wanted;
  for (let copy = 2; existsSync(target); copy++) target = `${wanted}-${copy}`;
  try {
    renameSync(folder, target);
  } catch (thrown) {
    throw unreadable(folder, thrown);
  }
  log.error(
    `The store is damaged (${reason}): it was moved to ${target}, and an empty one takes its place. ` +
      'What waited in it is not delivered.',
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
    ? 'make room on its disk, or name another data folder with --data DIR'
    : 'check the disk and its rights';
  return new Failure(
    'store.unreadable',
    `The store in ${folder} cannot be opened (${reasonOf(thrown)}): ${remedy}.`,
  );
}
