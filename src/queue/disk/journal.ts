import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, write } from 'node:fs';
import { join } from 'node:path';
import { JOURNAL_BYTES } from '../../core/limits.ts';
import type { Draft, Run } from './run.ts';
import { decodeRuns, sealRun } from './run.ts';

/*
 * Two files take turns. One takes the commits of a generation; when it is full the other takes those of the
 * next, while what still waits of the first goes into LMDB. They are written in place, again and again: a
 * commit costs its blocks and one flush, where LMDB writes six pages and flushes twice.
 */
export const JOURNALS = ['journal-0', 'journal-1'];

/** A write that returns is on the disk. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC;

export type Journal = {
  /**
   * Room in memory for the next run. What the file in use holds stays there until the file is written again, so
   * that a checkpoint need not read it and a commit leaves nothing to the garbage collector.
   */
  readonly space: (bytes: number) => Buffer;
  /** Writes one run; resolves once it would survive a power cut. One at a time. */
  readonly append: (draft: Draft) => Promise<void>;
  /** True if the file in use has had its share. */
  readonly full: () => boolean;
  readonly generation: () => number;
  /** Takes the other file for the next generation: what is in that file must be in LMDB. */
  readonly rotate: () => void;
  /** Bytes of disk that both files take once they are in use, and bytes written to them since they were opened. */
  readonly bytes: () => number;
  readonly written: () => number;
  readonly close: () => void;
};

export type Found = {
  /** What was committed and is not in LMDB, in order. */
  readonly runs: Run[];
  /** Runs that should be there and are damaged. */
  readonly damaged: number;
};

/** The runs of generations behind `generation` that the journals in `folder` hold. */
export function readJournals(folder: string, salt: Buffer, generation: number): Found {
  const runs = JOURNALS.flatMap(name => decodeRuns(salt, generation, contentOf(join(folder, name)))).toSorted(
    (one, other) => one.generation - other.generation || one.index - other.index,
  );
  return { runs, damaged: missing(runs) };
}

/** How many runs are missing between those that are there: the end of a generation may be torn, no other. */
function missing(runs: readonly Run[]): number {
  let count = 0;
  for (const [at, run] of runs.entries()) {
    const before = runs[at - 1];
    count += run.index - (before?.generation === run.generation ? before.index + 1 : 0);
  }
  return count;
}

function contentOf(file: string): Buffer {
  const fd = openSync(file, FLAGS, 0o600);
  try {
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Opens the journals of `folder` for a new generation, behind all that they hold. */
export function openJournal(folder: string, salt: Buffer, generation: number): Journal {
  const files = JOURNALS.map(name => openSync(join(folder, name), FLAGS, 0o600));
  syncFolder(folder);
  const ends = files.map(fd => fstatSync(fd).size);
  const images: (Buffer | undefined)[] = JOURNALS.map(() => undefined);
  let current = generation;
  let position = 0;
  let index = 0;
  let written = 0;

  const imageOf = (file: number): Buffer => {
    const image = images[file] ?? Buffer.alloc(JOURNAL_BYTES);
    images[file] = image;
    return image;
  };

  return {
    space: bytes => {
      if (position + bytes > JOURNAL_BYTES) return Buffer.allocUnsafeSlow(bytes);
      return imageOf(current % 2).subarray(position, position + bytes);
    },
    append: async draft => {
      const file = current % 2;
      const end = ends[file] ?? 0;
      const run = sealRun(draft, salt, current, index);
      const blocks = end < JOURNAL_BYTES ? paddedTo(JOURNAL_BYTES - position, run) : run;
      await writeWhole(files[file] ?? 0, blocks, position);
      index++;
      position += run.length;
      written += blocks.length;
      ends[file] = Math.max(end, position - run.length + blocks.length);
    },
    full: () => position >= JOURNAL_BYTES,
    generation: () => current,
    rotate: () => {
      current++;
      position = 0;
      index = 0;
    },
    bytes: () => ends.reduce((sum, end) => sum + Math.max(end, JOURNAL_BYTES), 0),
    written: () => written,
    close: () => {
      for (const fd of files) closeSync(fd);
    },
  };
}

/** The first run of a new file takes all of its space, so that none is asked for when the disk is full. */
function paddedTo(bytes: number, run: Buffer): Buffer {
  return run.length >= bytes ? run : Buffer.concat([run], bytes);
}

/** A file's name is its folder's content: without this, a power cut could take a new file away whole. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeWhole(fd: number, bytes: Buffer, position: number): Promise<void> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, position, (error, written) => {
      if (error !== null) reject(error);
      else if (written < bytes.length) reject(new Error('ENOSPC: no space left on device, journal'));
      else resolve();
    });
  });
}
