import { statfs } from 'node:fs/promises';
import { Failure } from '../core/errors.ts';
import type { BundleItem } from './archive/inventory.ts';
import { BUNDLE_DISK_RESERVE } from './limits.ts';

/** Disk space: bytes, and number of files and folders (inodes). */
export type SpaceNeed = { readonly bytes: number; readonly entries: number };

export const NO_NEED: SpaceNeed = { bytes: 0, entries: 0 };

export function addNeeds(one: SpaceNeed, other: SpaceNeed): SpaceNeed {
  return { bytes: one.bytes + other.bytes, entries: one.entries + other.entries };
}

/**
 * Returns the disk space of items on a file system with the block size `block`. Files use whole blocks; a
 * folder or link uses one block.
 */
export function needOf(items: Iterable<BundleItem>, block: number): SpaceNeed {
  let [bytes, entries] = [0, 0];
  for (const item of items) {
    entries++;
    bytes += item.kind === 'file' ? Math.ceil(item.size / block) * block : block;
  }
  return { bytes, entries };
}

/** Returns the block size in bytes of the file system of `folder`. */
export async function blockSize(folder: string): Promise<number> {
  return (await statfs(folder)).bsize;
}

/**
 * Checks that `need` fits into the free disk space minus BUNDLE_DISK_RESERVE. Throws Failure `bundle.space`.
 */
export async function checkSpace(folder: string, need: SpaceNeed, subject: string): Promise<void> {
  const { bavail, bsize, files, ffree } = await statfs(folder);
  const free = Math.max(0, bavail * bsize - BUNDLE_DISK_RESERVE);
  if (need.bytes > free) {
    throw new Failure(
      'bundle.space',
      `${subject} needs ${megabytes(need.bytes)}, but the disk of ${folder} has ${megabytes(free)} free beside its reserve (ENOSPC): free disk space.`,
    );
  }
  // File systems that create inodes on demand report 0 inodes in total.
  if (files > 0 && need.entries > ffree) {
    throw new Failure(
      'bundle.space',
      `${subject} needs ${need.entries} files, but the disk of ${folder} has ${ffree} free inodes (ENOSPC): remove some files.`,
    );
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
