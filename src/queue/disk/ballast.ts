import { closeSync, constants, openSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDiskFull, systemCode } from '../../core/errors.ts';
import { writeFully } from '../journal/block-file.ts';
import { BALLAST_BYTES, DISK_RESERVE_BYTES } from '../limits.ts';
import { FILE } from './preflight.ts';

/**
 * A file of zeros beside LMDB's, whose space LMDB gets when other programs have filled the disk: even to take
 * entries away it needs new pages, because it writes none in place.
 */
export type Ballast = {
  /**
   * Gives the space to LMDB's file, behind its first `end` bytes. False if the disk is not full, or the space
   * was given before.
   */
  readonly spend: (end: number) => boolean;
  /** Makes the file again if it is not whole and the disk has room for it. */
  readonly restore: () => void;
};

export function createBallast(folder: string): Ballast {
  const path = join(folder, 'ballast');
  return {
    spend: end =>
      orIfRefused(false, () => {
        if (freeBytes(folder) >= BALLAST_BYTES || sizeOf(path) === 0) return false;
        rmSync(path);
        // LMDB's file takes the space now: what is merely free goes to whoever writes first.
        // A transaction that failed may have left pages behind holes, which have no space yet.
        const file = join(folder, FILE);
        extend(file, end, Math.max(0, sizeOf(file) - end) + BALLAST_BYTES);
        return true;
      }),
    restore: () =>
      orIfRefused(undefined, () => {
        const missing = BALLAST_BYTES - sizeOf(path);
        if (missing > 0 && freeBytes(folder) >= missing + DISK_RESERVE_BYTES)
          extend(path, sizeOf(path), missing);
      }),
  };
}

/** Returns `otherwise` if the system refuses. The next write reports the error of the disk. */
function orIfRefused<Result>(otherwise: Result, action: () => Result): Result {
  try {
    return action();
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown;
    return otherwise;
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Writes `bytes` zeros to a file, from a position on, or as many as the disk has room for. */
function extend(path: string, from: number, bytes: number): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    writeFully(fd, Buffer.alloc(bytes), from);
  } catch (thrown) {
    if (!isDiskFull(thrown)) throw thrown;
  } finally {
    closeSync(fd);
  }
}
