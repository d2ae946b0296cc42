import { closeSync, constants, openSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isDiskFull, systemCode } from '../../core/errors.ts';
import { writeFully } from '../journal/block-file.ts';
import { BALLAST_BYTES, DISK_RESERVE_BYTES } from '../limits.ts';
import { FILE } from './preflight.ts';

/**
 * File of zeros that reserves disk space for LMDB. If other programs have filled the disk, LMDB gets this
 * space. LMDB is copy-on-write: it needs new pages even to remove entries.
 */
export type Ballast = {
  /**
   * Deletes the ballast file and extends LMDB's file by the freed space. `end` is the byte at which the data
   * of LMDB ends. Returns false if the disk is not full or the ballast file is already deleted.
   */
  readonly spend: (end: number) => boolean;
  /** Restores the ballast file to its full size if the disk has space for it. */
  readonly restore: () => void;
};

export function createBallast(folder: string): Ballast {
  const path = join(folder, 'ballast');
  return {
    spend: end =>
      orIfRefused(false, () => {
        if (freeBytes(folder) >= BALLAST_BYTES || sizeOf(path) === 0) return false;
        rmSync(path);
        // Extends LMDB's file immediately, because another program could use the free space. The extension
        // also covers holes without disk blocks before the end of the file. A failed transaction can leave
        // such holes.
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

/**
 * Runs `action`. Returns `otherwise` after a system error. The error is not reported, because the next write
 * of the store reports the error of the disk.
 */
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

/** Writes `bytes` zeros to a file, from the position `from`. Writes fewer zeros if the disk is full. */
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
