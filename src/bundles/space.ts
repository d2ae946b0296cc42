import { statfs } from 'node:fs/promises';
import { Failure } from '../core/errors.ts';
import type { Item } from './inventory.ts';
import { BUNDLE_DISK_RESERVE_BYTES } from './limits.ts';

/** Bytes on the disk, and files and folders. */
export type Need = { readonly bytes: number; readonly entries: number };

export const NO_NEED: Need = { bytes: 0, entries: 0 };

export function sumOf(one: Need, other: Need): Need {
  return { bytes: one.bytes + other.bytes, entries: one.entries + other.entries };
}

/** What items take of a file system with blocks of `block` bytes: whole blocks, and one for each folder and link. */
export function needOf(items: Iterable<Item>, block: number): Need {
  let [bytes, entries] = [0, 0];
  for (const item of items) {
    entries++;
    bytes += item.kind === 'file' ? Math.ceil(item.size / block) * block : block;
  }
  return { bytes, entries };
}

/** Bytes of a block of the file system that holds `folder`. */
export async function blockOf(folder: string): Promise<number> {
  return (await statfs(folder)).bsize;
}

/** Throws Failure `bundle.space` unless there is room for it beside what is kept free. */
export async function checkSpace(folder: string, need: Need, what: string): Promise<void> {
  const { bavail, bsize, files, ffree } = await statfs(folder);
  const free = Math.max(0, bavail * bsize - BUNDLE_DISK_RESERVE_BYTES);
  if (need.bytes > free) {
    throw new Failure(
      'bundle.space',
      `${what} needs ${megabytes(need.bytes)}, and the disk of ${folder} has ${megabytes(free)} to give: free some of it.`,
    );
  }
  // Some file systems make them as they need them, and count none.
  if (files > 0 && need.entries > ffree) {
    throw new Failure(
      'bundle.space',
      `${what} needs ${need.entries} files, and the disk of ${folder} has room for ${ffree} (inodes): remove some.`,
    );
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
