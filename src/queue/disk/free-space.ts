import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DISK_RESERVE_BYTES } from '../limits.ts';
import { FILE } from './preflight.ts';

/** How much larger the file is than what is counted, at most: half-filled pages, and copies of a commit. */
const FILE_PER_COUNTED = 2;

/**
 * Whether the store has room for more: free space of its file system, and pages of its file that were given
 * back, for the file never shrinks. A copy-on-write store needs free pages even to take entries away, so the
 * last of them are never given to new ones: a full disk can then always be drained.
 */
export type FreeSpace = {
  readonly isEnough: () => boolean;
  /** Looks again; `counted` are the bytes in use as counted against `maxSize`. */
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
        // A disk that cannot even be looked at takes no messages; its errors come with the next commit.
        enough = false;
      }
    },
  };
}
