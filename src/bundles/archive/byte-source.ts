import type { FileHandle } from 'node:fs/promises';
import { ARCHIVE_PIECE_BYTES } from '../limits.ts';

/** Sequential reader of bytes. */
export type ByteSource = {
  /** Number of bytes read or skipped so far. */
  readonly position: () => number;
  /**
   * Reads between 1 and `maxBytes` bytes. Returns an empty buffer at the end. The source does not reuse the
   * buffer.
   */
  readonly read: (maxBytes: number) => Promise<Buffer>;
  /** Skips up to `size` bytes. Returns the number of bytes skipped. */
  readonly skip: (size: number) => Promise<number>;
};

const EMPTY: Buffer = Buffer.alloc(0);

/** Reads `size` bytes into memory. Returns fewer only at the end of the source. */
export async function readExactly(input: ByteSource, size: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let missing = size; missing > 0; ) {
    const piece = await input.read(missing);
    if (piece.length === 0) break;
    pieces.push(piece);
    missing -= piece.length;
  }
  const [first = EMPTY] = pieces;
  return pieces.length === 1 ? first : Buffer.concat(pieces);
}

/** Creates a byte source from an iterator of buffers. */
export function byteSourceOf(pieces: AsyncIterator<Buffer>): ByteSource {
  let waiting = EMPTY;
  let position = 0;

  const some = async (maxBytes: number): Promise<Buffer> => {
    while (waiting.length === 0) {
      const next = await pieces.next();
      if (next.done === true) return EMPTY;
      waiting = next.value;
    }
    const piece = waiting.subarray(0, maxBytes);
    waiting = waiting.subarray(piece.length);
    position += piece.length;
    return piece;
  };

  return {
    position: () => position,
    read: some,
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

/** Creates a byte source of the first `size` bytes of a file. Skipped bytes are not read from disk. */
export function fileByteSource(file: FileHandle, size: number): ByteSource {
  let position = 0;
  return {
    position: () => position,
    read: async maxBytes => {
      const length = Math.min(maxBytes, ARCHIVE_PIECE_BYTES, size - position);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
      position += bytesRead;
      return buffer.subarray(0, bytesRead);
    },
    skip: async length => {
      const skipped = Math.min(length, size - position);
      position += skipped;
      return skipped;
    },
  };
}
