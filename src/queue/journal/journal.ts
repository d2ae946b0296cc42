import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDiskFull } from '../../core/errors.ts';
import { flushFolder } from '../../core/files/durable.ts';
import { JOURNAL_BYTES } from '../limits.ts';
import { alignedBuffer, openBlocks, writeFully } from './block-file.ts';
import type { JournalRun, RunDraft } from './run.ts';
import { decodeRuns, sealRun } from './run.ts';

/*
 * Two files take turns. One takes the commits of a generation; when it is full the other takes those of the
 * next, while what still waits of the first goes into LMDB. They are written in place, again and again: a
 * commit costs its blocks and one flush, where LMDB writes six pages and flushes twice.
 */
export const JOURNALS = ['journal-0', 'journal-1'];

/** Maximum bytes of a run besides its appends, because removals and metadata are few. */
const CHANGES_BYTES = 1 << 16;

export type Journal = {
  /**
   * Room in memory for the next run. What the file in use holds stays there until the file is written again,
   * so that a checkpoint need not read it and a commit leaves nothing to the garbage collector.
   */
  readonly space: (bytes: number) => Buffer;
  /** Writes one run and resolves once it is durable. One call at a time. */
  readonly append: (draft: RunDraft) => Promise<void>;
  /** True if the file in use has had its share. */
  readonly full: () => boolean;
  readonly generation: () => number;
  /** Takes the other file for the next generation: what is in that file must be in LMDB. */
  readonly rotate: () => void;
  /** Bytes of disk that both files use, once `more` bytes of appends are in the current one. */
  readonly bytes: (more: number) => number;
  /** Bytes written to them since they were opened. */
  readonly written: () => number;
  readonly close: () => void;
};

export type JournalContent = {
  /** Committed runs that are not in LMDB, in order. */
  readonly runs: JournalRun[];
  /** Runs that should be there and are damaged. */
  readonly damaged: number;
};

/** The runs of generations behind `generation` that the journals in `folder` hold. */
export function readJournals(folder: string, salt: Buffer, generation: number): JournalContent {
  const runs = JOURNALS.flatMap(name => decodeRuns(salt, generation, contentOf(join(folder, name)))).toSorted(
    (one, other) => one.generation - other.generation || one.index - other.index,
  );
  return { runs, damaged: missing(runs) };
}

/** Number of runs missing between those found. Only the end of a generation may be torn. */
function missing(runs: readonly JournalRun[]): number {
  let count = 0;
  for (const [at, run] of runs.entries()) {
    const before = runs[at - 1];
    count += run.index - (before?.generation === run.generation ? before.index + 1 : 0);
  }
  return count;
}

function contentOf(file: string): Buffer {
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Opens the journals of `folder` for a new generation, behind all that they hold. */
export function openJournal(folder: string, salt: Buffer, generation: number): Journal {
  for (const name of JOURNALS) reserve(join(folder, name));
  const files = JOURNALS.map(name => openBlocks(join(folder, name)));
  // Without this a power cut could lose a new file.
  flushFolder(folder);
  const images: (Buffer | undefined)[] = JOURNALS.map(() => undefined);
  let current = generation;
  let position = 0;
  let index = 0;
  let written = 0;

  const imageOf = (file: number): Buffer => {
    const image = images[file] ?? alignedBuffer(JOURNAL_BYTES);
    images[file] = image;
    return image;
  };

  return {
    space: bytes => {
      if (position + bytes > JOURNAL_BYTES) return alignedBuffer(bytes);
      return imageOf(current % 2).subarray(position, position + bytes);
    },
    append: async draft => {
      const file = files[current % 2];
      if (file === undefined) return;
      const run = sealRun(draft, salt, current, index);
      // The first run of a new file allocates all of its space, so that ENOSPC cannot happen later.
      const whole = file.size() < JOURNAL_BYTES && run.length < JOURNAL_BYTES;
      const blocks = whole ? imageOf(current % 2) : run;
      await file.write(blocks, position);
      index++;
      position += run.length;
      written += blocks.length;
    },
    full: () => position >= JOURNAL_BYTES,
    generation: () => current,
    rotate: () => {
      current++;
      position = 0;
      index = 0;
    },
    bytes: more => {
      const first = Math.max(files[0]?.size() ?? 0, JOURNAL_BYTES);
      const second = Math.max(files[1]?.size() ?? 0, JOURNAL_BYTES);
      const end = position + more + CHANGES_BYTES;
      return current % 2 === 0 ? Math.max(first, end) + second : first + Math.max(second, end);
    },
    written: () => written,
    close: () => {
      for (const file of files) file.close();
    },
  };
}

/**
 * Allocates all space of a new journal, so that removals can still be written on a full disk. If the disk is
 * full now, the first run tries again.
 */
function reserve(path: string): void {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const { size } = fstatSync(fd);
    if (size < JOURNAL_BYTES) writeFully(fd, Buffer.alloc(JOURNAL_BYTES - size), size);
  } catch (thrown) {
    if (!isDiskFull(thrown)) throw thrown;
  } finally {
    closeSync(fd);
  }
}
