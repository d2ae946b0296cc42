import { closeSync, constants, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FILE } from './preflight.ts';

/*
 * Fields of LMDB's pages that are read (lmdb.h, mdb.c), in the byte order of the machine:
 *
 *   page     number (8) transaction (8) pad (2) flags (2) lower (2) upper (2), or overflow pages (4);
 *            then lower / 2 offsets of nodes (2 each), counted from the end of the page header
 *   node     size or child (4) flags, or upper bits of the child (2) size of the key (2) key, data
 *   meta     page header, then magic (4) version (4) address (8) size (8), trees of free pages and of tables
 *            (48 each, with the root at the end), last page (8), transaction (8)
 */
const HEAD_BYTES = 24;
const FLAGS_AT = 18;
const LOWER_AT = 20;
const PAGE_SIZE_AT = 48;
const ROOTS_AT = [88, 136];
const TRANSACTION_AT = 152;
const META_BYTES = 160;
const ROOT_IN_TREE = 40;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const KIND = BRANCH | LEAF | OVERFLOW | 8;

const DATA_ELSEWHERE = 1;
const DATA_IS_TREE = 2;

/**
 * Walks all pages of the newest state of a store. Does not use LMDB, because LMDB ends the process at a
 * damaged page. The time grows with the stored data, so the check runs only if damage is likely.
 * @returns a description of the damage, or undefined
 */
export function findDamage(folder: string): string | undefined {
  const file = join(folder, FILE);
  // If the first start of the hub was killed, the file is missing or empty.
  if (!existsSync(file) || statSync(file).size === 0) return undefined;
  const fd = openSync(file, constants.O_RDONLY);
  try {
    return walk(fd);
  } finally {
    closeSync(fd);
  }
}

type Visit = { readonly page: number; readonly kinds: number };

function walk(fd: number): string | undefined {
  const meta = newestMeta(fd);
  const pageSize = meta.readUInt32LE(PAGE_SIZE_AT);
  const transaction = meta.readBigUInt64LE(TRANSACTION_AT);
  const pages = Math.floor(fstatSync(fd).size / pageSize);
  const bytes = Buffer.alloc(pageSize);
  const left: Visit[] = ROOTS_AT.flatMap(at => tree(meta, at));
  for (let visited = 0; left.length > 0; visited++) {
    const visit = left.pop();
    if (visit === undefined) break;
    const { page, kinds } = visit;
    if (page >= pages || visited > pages) return `page ${page} is beyond the end of the file`;
    readSync(fd, bytes, 0, pageSize, page * pageSize);
    const kind = bytes.readUInt16LE(FLAGS_AT) & KIND;
    const valid = bytes.readBigUInt64LE(0) === BigInt(page) && bytes.readBigUInt64LE(8) <= transaction;
    if (!valid || (kind & kinds) === 0 || (kind & (kind - 1)) !== 0)
      return `page ${page} has a wrong number or type`;
    const found = kind === OVERFLOW ? [] : childrenOf(bytes, kind);
    if (found === undefined) return `page ${page} has an invalid node`;
    left.push(...found);
  }
  return undefined;
}

function newestMeta(fd: number): Buffer {
  const first = Buffer.alloc(META_BYTES);
  const second = Buffer.alloc(META_BYTES);
  readSync(fd, first, 0, META_BYTES, 0);
  readSync(fd, second, 0, META_BYTES, first.readUInt32LE(PAGE_SIZE_AT));
  const newer = second.readBigUInt64LE(TRANSACTION_AT) > first.readBigUInt64LE(TRANSACTION_AT);
  return newer ? second : first;
}

/** Returns the root page of the tree whose description begins at byte `at`. Empty if the tree has no page. */
function tree(bytes: Buffer, at: number): Visit[] {
  const root = bytes.readBigUInt64LE(at);
  return root === NO_PAGE ? [] : [{ page: Number(root), kinds: BRANCH | LEAF }];
}

/** Returns the pages to which the nodes of a page refer. Undefined if a node is outside the page. */
function childrenOf(bytes: Buffer, kind: number): Visit[] | undefined {
  const children: Visit[] = [];
  const nodes = bytes.readUInt16LE(LOWER_AT) / 2;
  if (HEAD_BYTES + nodes * 2 > bytes.length) return undefined;
  for (let index = 0; index < nodes; index++) {
    const node = HEAD_BYTES + bytes.readUInt16LE(HEAD_BYTES + index * 2);
    if (node + 8 > bytes.length) return undefined;
    const flags = bytes.readUInt16LE(node + 4);
    if (kind === BRANCH) {
      children.push({ page: bytes.readUInt32LE(node) + flags * 0x1_0000_0000, kinds: BRANCH | LEAF });
      continue;
    }
    const data = node + 8 + bytes.readUInt16LE(node + 6);
    if ((flags & DATA_ELSEWHERE) !== 0) {
      if (data + 8 > bytes.length) return undefined;
      children.push({ page: Number(bytes.readBigUInt64LE(data)), kinds: OVERFLOW });
    } else if (data + bytes.readUInt32LE(node) > bytes.length) return undefined;
    else if ((flags & DATA_IS_TREE) !== 0) children.push(...tree(bytes, data + ROOT_IN_TREE));
  }
  return children;
}
