import { closeSync, constants, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../core/errors.ts';
import { JOURNALS } from '../journal/journal.ts';

/** Name of LMDB's file in the folder of the store. */
export const FILE = 'data.mdb';

/*
 * The first two pages of the file are LMDB's meta pages, in the byte order of the machine, which is always
 * little-endian. The constants are the offsets of the fields that are read (lmdb.h, MDB_meta).
 */
const META_BYTES = 160;
const MAGIC = 0xbeef_c0de;
const MAGIC_AT = 24;
const VERSION = 2;
const VERSION_AT = 28;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;

/**
 * Checks a store before LMDB opens it, because LMDB ends the process if the file is not an LMDB file. Returns
 * true if the file ends before the last page that its meta page names. The caller then checks all pages. Such
 * a file is not always damaged: LMDB never writes pages at the end of the file that a transaction allocates
 * and frees.
 * @throws Failure `store.damaged`, `store.newer`
 */
export function preflight(folder: string): boolean {
  const file = join(folder, FILE);
  const size = existsSync(file) ? statSync(file).size : 0;
  if (size > 0) return isShort(file, folder);
  if (JOURNALS.some(name => existsSync(join(folder, name)))) throw damaged(`${FILE} is missing or empty`);
  return false;
}

export function damaged(reason: string): Failure {
  return new Failure('store.damaged', reason);
}

function isShort(file: string, folder: string): boolean {
  const fd = openSync(file, constants.O_RDONLY);
  try {
    const first = metaAt(fd, 0, folder);
    const second = metaAt(fd, first.pageSize, folder);
    const newest = first.transaction > second.transaction ? first : second;
    return BigInt(fstatSync(fd).size) < (newest.lastPage + 1n) * BigInt(first.pageSize);
  } finally {
    closeSync(fd);
  }
}

type Meta = { readonly pageSize: number; readonly lastPage: bigint; readonly transaction: bigint };

function metaAt(fd: number, position: number, folder: string): Meta {
  const bytes = Buffer.alloc(META_BYTES);
  const read = readSync(fd, bytes, 0, META_BYTES, position);
  if (read < META_BYTES || bytes.readUInt32LE(MAGIC_AT) !== MAGIC)
    throw damaged(`${FILE} has no valid header`);
  const version = bytes.readUInt32LE(VERSION_AT);
  if (version !== VERSION) {
    throw new Failure(
      'store.newer',
      `The store in ${folder} has LMDB's format ${version}, this version of skerry reads ${VERSION}: use the version that wrote it, or another --data folder.`,
    );
  }
  return {
    pageSize: bytes.readUInt32LE(PAGE_SIZE_AT),
    lastPage: bytes.readBigUInt64LE(LAST_PAGE_AT),
    transaction: bytes.readBigUInt64LE(TRANSACTION_AT),
  };
}
