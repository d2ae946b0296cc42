import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { MAX_OLD_LOG_FILES } from '../limits.ts';

/** Number of bytes in one read of a log file. */
const CHUNK_BYTES = 1 << 16;
const NEWLINE = 0x0a;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Reader of one module's log. Reads from the oldest file to the newest, and follows rotations. Also works
 * while the hub is stopped.
 */
export type LogReader = {
  /** Returns the next complete line without the line end. Undefined if no complete line is available. */
  readonly next: () => Buffer | undefined;
  readonly close: () => void;
};

/** Open file of the log. After a rotation has renamed the file, the inode still identifies it. */
type Part = { readonly file: number; readonly inode: number };

/**
 * Opens the log of a module. `last` is the maximum number of existing lines that are read. Throws system
 * errors if a file cannot be read.
 */
export function openLogReader(path: string, last = Number.POSITIVE_INFINITY): LogReader {
  let parts = openParts(path);
  let position = skipTo(parts, last);
  let buffered = NOTHING;

  /**
   * Continues with the next newer file of the log. Returns false if there is no newer file. After the current
   * log file, there is no newer file until the next rotation.
   */
  const advance = (): boolean => {
    const [finished] = parts;
    if (parts.length < 2 && (finished === undefined || inodeOf(path) !== finished.inode)) {
      const found = openParts(path);
      const known = found.findIndex(({ inode }) => inode === finished?.inode);
      for (const { file } of found.slice(0, known + 1)) closeSync(file);
      parts = [...parts, ...found.slice(known + 1)];
    }
    if (finished !== undefined) {
      if (parts.length < 2) return false;
      closeSync(finished.file);
      parts = parts.slice(1);
    }
    position = 0;
    return parts.length > 0;
  };

  const readMore = (): boolean => {
    for (;;) {
      const [current] = parts;
      if (current !== undefined) {
        const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
        const count = readSync(current.file, chunk, 0, CHUNK_BYTES, position);
        position += count;
        if (count > 0) {
          buffered = Buffer.concat([buffered, chunk.subarray(0, count)]);
          return true;
        }
      }
      if (!advance()) return false;
      // The previous file does not end with a newline, because a crash truncated its last line. The added
      // newline ends this line.
      if (buffered.length > 0) buffered = Buffer.concat([buffered, Buffer.from('\n')]);
    }
  };

  return {
    next: () => {
      let end = buffered.indexOf(NEWLINE);
      while (end < 0) {
        if (!readMore()) return undefined;
        end = buffered.indexOf(NEWLINE);
      }
      const line = buffered.subarray(0, end);
      buffered = buffered.subarray(end + 1);
      return line;
    },
    close: () => {
      for (const { file } of parts) closeSync(file);
      parts = [];
    },
  };
}

/**
 * Opens the files of a log and returns them, oldest first. Opens the newest file first, because a rotation
 * can rename files in the meantime. A renamed file is then opened twice, but no file is missed. The inode
 * shows that a file was opened twice.
 */
function openParts(path: string): Part[] {
  const parts: Part[] = [];
  for (let age = 0; age <= MAX_OLD_LOG_FILES; age += 1) {
    const part = openPart(age === 0 ? path : `${path}.${age}`);
    if (part === undefined) continue;
    if (parts.some(({ inode }) => inode === part.inode)) closeSync(part.file);
    else parts.unshift(part);
  }
  return parts;
}

function openPart(path: string): Part | undefined {
  try {
    const file = openSync(path, 'r');
    return { file, inode: fstatSync(file).ino };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

/**
 * Skips all lines except the last `last` lines. Closes the files that contain only skipped lines. Returns the
 * offset of the first remaining line in its file.
 */
function skipTo(parts: Part[], last: number): number {
  if (last === Number.POSITIVE_INFINITY) return 0;
  let missing = last;
  for (let index = parts.length - 1; index >= 0; index -= 1) {
    const file = parts[index]?.file ?? 0;
    const found = startOfLast(file, missing);
    if (found.lines >= missing) {
      for (const part of parts.splice(0, index)) closeSync(part.file);
      return found.start;
    }
    missing -= found.lines;
  }
  return 0;
}

/**
 * Returns the offset at which the last `max` complete lines of a file start. Also returns the number of
 * complete lines after this offset.
 */
function startOfLast(file: number, max: number): { readonly start: number; readonly lines: number } {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let lines = 0;
  let end = fstatSync(file).size;
  if (max === 0) return { start: end, lines };
  while (end > 0) {
    const from = Math.max(0, end - CHUNK_BYTES);
    const count = readSync(file, chunk, 0, end - from, from);
    for (let at = count - 1; at >= 0; at -= 1) {
      if (chunk[at] !== NEWLINE) continue;
      // This newline ends the line before the last `max` lines.
      if (lines === max) return { start: from + at + 1, lines };
      lines += 1;
    }
    end = from;
  }
  return { start: 0, lines };
}
