import { randomBytes } from 'node:crypto';
import { Failure, reasonOf } from '../../core/errors.ts';
import { decode, encode } from '../record/record-encode.ts';
import { createBallast } from './ballast.ts';
import { encodeStore, FORMAT, FORMAT_KEY, STORE_KEY } from './layout.ts';
import { damaged } from './preflight.ts';
import type { StoreReader } from './reader.ts';
import { createReader } from './reader.ts';
import { createSlabs } from './slabs.ts';
import type { Root, Tables } from './tables.ts';
import { openTables } from './tables.ts';
import type { StoreWriter } from './writer.ts';
import { createWriter } from './writer.ts';

/** LMDB file of the store. */
export type Database = StoreReader & {
  /** Returns the bytes of disk of all stored values, in whole pages. */
  readonly usedBytes: () => number;
  /** Returns the bytes written to the file since it was opened. */
  readonly written: () => number;
  /** Returns a number that changes with each write. */
  readonly version: () => number;
  /** Returns the number of values in each table. */
  readonly tables: () => Record<string, number>;
  /**
   * Writes all changes of `fill` in one transaction. Resolves once the changes are durable. Must not be
   * called before the previous call has resolved. If the disk is full and the ballast (reserved disk space)
   * can be freed, `fill` is called a second time. The first call after a failed write reopens the file,
   * because LMDB possibly refuses all further transactions. If the file cannot be opened for writing, it is
   * opened read-only.
   */
  readonly write: (fill: (writer: StoreWriter) => void) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Counters of LMDB as last read. `end` is the size of the file in bytes up to its last committed page. */
type Figures = { readonly used: number; readonly written: number; readonly end: number };

/**
 * Opens the LMDB file in `folder`. The caller must call `preflight` first.
 * @throws Failure `store.damaged`, `store.newer`, `store.older`, or a system error
 */
export async function openDatabase(folder: string): Promise<Database> {
  const { open } = await import('lmdb');
  const openRoot = (readOnly = false): Root => open<Buffer, Buffer>({ ...OPTIONS, path: folder, readOnly });
  let tables = await openFormat(openRoot, folder);
  const slabs = createSlabs();
  const ballast = createBallast(folder);
  ballast.restore();
  let version = 0;
  const reader = createReader(
    () => tables,
    () => version,
  );
  let figures = figuresOf(tables);
  /** LMDB's counter of written bytes at the opening of the file. Adjusted when the file is reopened. */
  let before = figures.written;
  let failed = false;

  const reopen = async (): Promise<void> => {
    await tables.root.close();
    try {
      tables = openTables(openRoot());
    } catch (thrown) {
      // Opens the file read-only. Waiting entries are then delivered even if the disk accepts no writes.
      tables = openTables(openRoot(true));
      throw thrown;
    }
    before += figuresOf(tables).written - figures.written;
    failed = false;
  };

  const write = async (fill: (writer: StoreWriter) => void): Promise<void> => {
    if (failed) await reopen();
    failed = true;
    slabs.reset();
    await commit(tables, fill, slabs.space);
    version++;
    failed = false;
    figures = figuresOf(tables);
  };

  return {
    ...reader,
    usedBytes: () => figures.used,
    written: () => figures.written - before,
    version: () => version,
    tables: () => countsOf(tables),
    write: async fill => {
      try {
        await write(fill);
      } catch (thrown) {
        if (!ballast.spend(figures.end)) throw thrown;
        await write(fill);
      }
      ballast.restore();
    },
    close: () => tables.root.close(),
  };
}

/**
 * Opens the tables of a store. Checks that the format is supported and that the record `#store` is readable.
 */
async function openFormat(openRoot: () => Root, folder: string): Promise<Tables> {
  let root: Root | undefined;
  try {
    root = openRoot();
    checkFormat(root, folder);
    const tables = openTables(root);
    createReader(
      () => tables,
      () => 0,
    ).store();
    return tables;
  } catch (thrown) {
    await root?.close();
    throw isDamage(thrown) ? damaged(reasonOf(thrown)) : thrown;
  }
}

/** True if LMDB reports a damaged page. */
export function isDamage(thrown: unknown): boolean {
  return /^MDB_(CORRUPTED|PAGE_NOTFOUND|BAD_TXN|INVALID)/.test(reasonOf(thrown));
}

const OPTIONS = {
  maxDbs: 8,
  encoding: 'binary',
  keyEncoding: 'binary',
  noSubdir: false,
  overlappingSync: false,
  // With the next two options, LMDB begins a transaction only after the store has made all changes of the
  // transaction.
  eventTurnBatching: false,
  txnStartThreshold: Number.MAX_SAFE_INTEGER,
  cache: false,
  trackMetrics: true,
} as const;

/**
 * Checks the format of an existing store. In a new store, writes the format and the salt of the journal's
 * checksums.
 */
function checkFormat(root: Root, folder: string): void {
  const bytes = root.get(FORMAT_KEY);
  if (bytes !== undefined) {
    const format = decode(bytes);
    if (format === FORMAT) return;
    throw new Failure(
      typeof format === 'number' && format < FORMAT ? 'store.older' : 'store.newer',
      `The store in ${folder} has format ${String(format)}, this version of skerry reads ${FORMAT}: use the version that wrote it, or another --data folder.`,
    );
  }
  if (root.get(Buffer.from('meta')) !== undefined) {
    throw new Failure(
      'store.older',
      `The store in ${folder} has format 1, this version of skerry reads ${FORMAT}: let the version that wrote it deliver its messages, then move the folder away.`,
    );
  }
  root.transactionSync(() => {
    root.putSync(FORMAT_KEY, encode(FORMAT));
    root.putSync(
      STORE_KEY,
      encodeStore({ hubTime: 0, lastSequence: 0, generation: 0, salt: randomBytes(8) }),
    );
  });
}

async function commit(
  tables: Tables,
  fill: (writer: StoreWriter) => void,
  space: (bytes: number) => Buffer,
): Promise<void> {
  const { root } = tables;
  try {
    await root.batch(() => fill(createWriter(tables, space)));
  } catch (thrown) {
    throw await causeOf(thrown);
  }
  await root.flushed;
  root.resetReadTxn();
}

/**
 * Returns the system error of a failed transaction. The lmdb package stores this error in a separate promise.
 */
async function causeOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error && 'commitError' in thrown)) return thrown;
  try {
    await thrown.commitError;
    return thrown;
  } catch (cause) {
    return cause;
  }
}

/** Bytes of the meta page that LMDB writes at the end of each transaction. */
const META_BYTES = 4096;

function figuresOf(tables: Tables): Figures {
  const stats = tables.root.getStats();
  const pageSize = numberIn(stats, 'pageSize');
  const pages = numberIn(stats, 'pagesWritten') * pageSize;
  return {
    used: Object.values(tables).reduce((sum, table) => sum + pagesOf(table.getStats()), 0),
    written: pages + numberIn(stats, 'txns') * META_BYTES,
    end: (numberIn(stats, 'lastPageNumber') + 1) * pageSize,
  };
}

function countsOf({ root, ...tables }: Tables): Record<string, number> {
  const counts = Object.entries(tables).map(([name, table]) => [
    name,
    numberIn(table.getStats(), 'entryCount'),
  ]);
  return Object.fromEntries(counts);
}

function pagesOf(stats: object): number {
  const pages =
    numberIn(stats, 'treeBranchPageCount') +
    numberIn(stats, 'treeLeafPageCount') +
    numberIn(stats, 'overflowPages');
  return pages * numberIn(stats, 'pageSize');
}

function numberIn(stats: object, name: string): number {
  const value: unknown = Reflect.get(stats, name);
  return typeof value === 'number' ? value : 0;
}
