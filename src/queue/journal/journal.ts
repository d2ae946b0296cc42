import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDiskFull } from '../../core/errors.ts';
import { flushFolder } from '../../core/files/durable.ts';
import { JOURNAL_BYTES } from '../limits.ts';
import { alignedBuffer, openBlocks, writeFully } from './block-file.ts';
import type { JournalRun, RunDraft } from './run.ts';
import { decodeRuns, sealRun } from './run.ts';

/*
 * The journal is a write-ahead log in two files. Each file contains the commits of one generation. When the
 * current file is full, the commits of the next generation are written to the other file, while a checkpoint
 * moves the waiting messages of the full file to LMDB. Both files are overwritten in place: a commit writes
 * its blocks and flushes once, whereas an LMDB transaction would write six pages and flush twice.
 */
export const JOURNALS = ['journal-0', 'journal-1'];

/**
 * Estimated maximum bytes of removals and metadata in a run (the records of one commit, which are written
 * together).
 */
const CHANGES_BYTES = 1 << 16;

export type Journal = {
  /**
   * Returns memory for the next run (the records of one commit). This memory keeps the content of the current
   * file until the file is overwritten. A checkpoint therefore need not read the file, and a commit produces
   * no garbage.
   */
  readonly space: (bytes: number) => Buffer;
  /**
   * Writes one run (the records of one commit). Resolves once the run is durable. Must not be called before
   * the previous call has resolved.
   */
  readonly append: (draft: RunDraft) => Promise<void>;
  /** True if the current file is full. */
  readonly full: () => boolean;
  readonly generation: () => number;
  /**
   * Switches to the other journal file and increments the generation. LMDB must already contain the content
   * of the other file, because this file is overwritten.
   */
  readonly rotate: () => void;
  /** Returns the bytes of disk that both files use after a further append of `more` bytes. */
  readonly bytes: (more: number) => number;
  /** Returns the bytes written to both files since they were opened. */
  readonly written: () => number;
  readonly close: () => void;
};

export type JournalContent = {
  /** Committed runs that are not in LMDB, in order. */
  readonly runs: JournalRun[];
  /** Number of runs that are missing or damaged. */
  readonly damaged: number;
};

/** Reads the runs (commits) of all generations after `generation` from the journals in `folder`. */
export function readJournals(folder: string, salt: Buffer, generation: number): JournalContent {
  const runs = JOURNALS.flatMap(name => decodeRuns(salt, generation, contentOf(join(folder, name)))).toSorted(
    (one, other) => one.generation - other.generation || one.index - other.index,
  );
  return { runs, damaged: missing(runs) };
}

/**
 * Returns the number of missing runs (commits). The last run of a generation is not counted, because a crash
 * can leave it incomplete.
 */
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

/**
 * Opens the journals of `folder` for a new generation. `generation` must be greater than all generations in
 * the files.
 */
export function openJournal(folder: string, salt: Buffer, generation: number): Journal {
  for (const name of JOURNALS) reserve(join(folder, name));
  const files = JOURNALS.map(name => openBlocks(join(folder, name)));
  // Flushes the folder. Otherwise a power failure could lose a new file.
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
      // Allocates the whole file with the first write to a new journal file, so that ENOSPC cannot happen
      // later.
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
 * Allocates all space of a new journal file. Removals can then be written even if the disk is full later. If
 * the disk is already full, the first write of a run tries again.
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
