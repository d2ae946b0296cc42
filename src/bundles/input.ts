import type { FileHandle } from 'node:fs/promises';
import { ARCHIVE_PIECE_BYTES } from './limits.ts';

/** Bytes that are read one after the other. */
export type Input = {
  /** Bytes that were read or skipped so far. */
  readonly position: () => number;
  /** The next bytes, at most `most` and at least one; none at the end. They are the caller's. */
  readonly some: (most: number) => Promise<Buffer>;
  /** Leaves `size` bytes out; returns how many there were. */
  readonly skip: (size: number) => Promise<number>;
};

const NOTHING: Buffer = Buffer.alloc(0);

/** The next `size` bytes; fewer at the end only. For what is small. */
export async function exactly(input: Input, size: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let missing = size; missing > 0; ) {
    const piece = await input.some(missing);
    if (piece.length === 0) break;
    pieces.push(piece);
    missing -= piece.length;
  }
  const [first = NOTHING] = pieces;
  return pieces.length === 1 ? first : Buffer.concat(pieces);
}

/** What comes in pieces. */
export function inputOf(pieces: AsyncIterator<Buffer>): Input {
  let waiting = NOTHING;
  let position = 0;

  const some = async (most: number): Promise<Buffer> => {
    while (waiting.length === 0) {
      const next = await pieces.next();
      if (next.done === true) return NOTHING;
      waiting = next.value;
    }
    const taken = waiting.subarray(0, most);
    waiting = waiting.subarray(taken.length);
    position += taken.length;
    return taken;
  };

  return {
    position: () => position,
    some,
    skip: async size => {
      const start = position;
      while (position - start < size) {
        const piece = await some(size - (position - start));
        if (piece.length === 0) break;
      }
      return position - start;
    },
  };
}

/** The bytes of a file up to `size`, of which those that are skipped are not read. */
export function inputOfFile(file: FileHandle, size: number): Input {
  let position = 0;
  return {
    position: () => position,
    some: async most => {
      const wanted = Math.min(most, ARCHIVE_PIECE_BYTES, size - position);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, position);
      position += bytesRead;
      return buffer.subarray(0, bytesRead);
    },
    skip: async wanted => {
      const skipped = Math.min(wanted, size - position);
      position += skipped;
      return skipped;
    },
  };
}
