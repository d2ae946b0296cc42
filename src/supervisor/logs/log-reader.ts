import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { LOG_FILES } from '../../core/limits.ts';

/** Bytes that are read at once. */
const CHUNK_BYTES = 1 << 16;
const NEWLINE = 0x0a;
const NOTHING: Buffer = Buffer.alloc(0);

/** Reads the log of one module from its oldest file on, over rotations, while the hub writes it or when there is none. */
export type LogReader = {
  /** The next whole line without its end; undefined: there is none now, but later there may be. */
  readonly next: () => Buffer | undefined;
  readonly close: () => void;
};

/** One file of the log, kept open: what it is called changes when it is rotated. */
type Part = { readonly file: number; readonly inode: number };

/** `last`: no more than this many lines of what is there now. A file that may not be read throws what the system does. */
export function openLogReader(path: string, last = Number.POSITIVE_INFINITY): LogReader {
  let parts = openParts(path);
  let position = skipTo(parts, last);
  let held = NOTHING;

  /** Goes on to the next file, if there is one; the last is left only once it was rotated away. */
  const advance = (): boolean => {
    const [done] = parts;
    if (parts.length < 2 && (done === undefined || inodeOf(path) !== done.inode)) {
      const found = openParts(path);
      const known = found.findIndex(({ inode }) => inode === done?.inode);
      for (const { file } of found.slice(0, known + 1)) closeSync(file);
      parts = [...parts, ...found.slice(known + 1)];
    }
    if (done !== undefined) {
      if (parts.length < 2) return false;
      closeSync(done.file);
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
          held = Buffer.concat([held, chunk.subarray(0, count)]);
          return true;
        }
      }
      if (!advance()) return false;
      // What a crash tore off stands by itself.
      if (held.length > 0) held = Buffer.concat([held, Buffer.from('\n')]);
    }
  };

  return {
    next: () => {
      let end = held.indexOf(NEWLINE);
      while (end < 0) {
        if (!readMore()) return undefined;
        end = held.indexOf(NEWLINE);
      }
      const line = held.subarray(0, end);
      held = held.subarray(end + 1);
      return line;
    },
    close: () => {
      for (const { file } of parts) closeSync(file);
      parts = [];
    },
  };
}

/** The files of a log, the oldest first. Opened from the newest on: a rotation meanwhile shows one twice, and hides none. */
function openParts(path: string): Part[] {
  const parts: Part[] = [];
  for (let age = 0; age <= LOG_FILES; age += 1) {
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

/** Closes the files before the last lines, and tells where those begin in the first that is left. */
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

/** Where the last `most` whole lines of a file begin, and how many there are. */
function startOfLast(file: number, most: number): { readonly start: number; readonly lines: number } {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let lines = 0;
  let end = fstatSync(file).size;
  if (most === 0) return { start: end, lines };
  while (end > 0) {
    const from = Math.max(0, end - CHUNK_BYTES);
    const count = readSync(file, chunk, 0, end - from, from);
    for (let at = count - 1; at >= 0; at -= 1) {
      if (chunk[at] !== NEWLINE) continue;
      // This one ends the line before.
      if (lines === most) return { start: from + at + 1, lines };
      lines += 1;
    }
    end = from;
  }
  return { start: 0, lines };
}
