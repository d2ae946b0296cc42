import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DISK_RESERVE_BYTES } from '../limits.ts';
import { FILE } from './preflight.ts';

/** Maximum ratio of the file's size to the counted bytes: half-filled pages, and copies of a commit. */
const FILE_PER_COUNTED = 2;

/**
 * Free-space check (ENOSPC): free space of the file system plus reusable pages of the file, which never
 * shrinks. A copy-on-write store needs free pages even to delete entries, so a reserve is never given to new
 * ones. A full disk can then always be drained.
 */
export type FreeSpace = {
  readonly isEnough: () => boolean;
  /** Measures again; `counted` are the bytes in use. */
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
        // If the check fails, refuse messages. The next commit reports the error.
        enough = false;
      }
    },
  };
}
