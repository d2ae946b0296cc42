import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DISK_RESERVE_BYTES } from '../limits.ts';
import { FILE } from './preflight.ts';

/**
 * Maximum ratio of the file size to the bytes in use. The file is larger than its content, because pages can
 * be half empty and a commit copies pages.
 */
const FILE_PER_COUNTED = 2;

/**
 * Checks the free space for new messages: the free space of the file system plus the unused pages of the LMDB
 * file. LMDB is copy-on-write and needs free pages even to remove entries. Therefore new messages never use
 * the reserve (DISK_RESERVE_BYTES).
 */
export type FreeSpace = {
  readonly isEnough: () => boolean;
  /** Measures the free space. `counted` is the number of bytes in use. */
  readonly measure: (counted: number) => void;
};

export function watchFreeSpace(folder: string): FreeSpace {
  const file = join(folder, FILE);
  let enough = true;
  return {
    isEnough: () => enough,
    measure: counted => {
      try {
        const { bavail, bsize } = statfsSync(folder);
        const reusable = Math.max(0, statSync(file).size - counted * FILE_PER_COUNTED);
        enough = bavail * bsize + reusable >= DISK_RESERVE_BYTES;
      } catch {
        // If the free space cannot be measured, messages are refused. The next commit reports the error of
        // the disk.
        enough = false;
      }
    },
  };
}
