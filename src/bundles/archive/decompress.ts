import { pipeline, Readable } from 'node:stream';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { ARCHIVE_PIECE_BYTES, ZSTD_WINDOW_POWER } from '../limits.ts';
import type { Refuse } from '../types.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const USTAR = Buffer.from('ustar');
const USTAR_OFFSET = 257;

/** True if the first bytes of a file are those of a tar archive (POSIX.1-2024, pax, "ustar Header Block"). */
export function isTar(start: Buffer): boolean {
  return start.subarray(USTAR_OFFSET, USTAR_OFFSET + USTAR.length).equals(USTAR);
}

/**
 * Decompresses an archive `tar`, `tar.gz` or `tar.zst`. Detects the format by the first bytes, not by the
 * name.
 */
export async function* decompress(
  compressed: AsyncGenerator<Buffer>,
  refuse: Refuse,
): AsyncGenerator<Buffer> {
  const { done, value: first } = await compressed.next();
  if (done === true) throw refuse('is empty');
  const whole = prepend(first, compressed);
  const begins = (magic: Buffer): boolean => first.subarray(0, magic.length).equals(magic);
  if (begins(GZIP)) yield* decompressWith('gzip', whole, refuse);
  else if (begins(ZSTD)) yield* decompressWith('zstd', whole, refuse);
  else if (isTar(first)) yield* whole;
  else {
    await compressed.return(undefined);
    throw refuse('is neither tar nor tar with gzip or zstd');
  }
}

async function* prepend(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first;
    yield* rest;
  } finally {
    // `yield*` closes `rest` only if the consumer has read beyond `first`.
    await rest.return(undefined);
  }
}

async function* decompressWith(
  kind: 'gzip' | 'zstd',
  compressed: AsyncGenerator<Buffer>,
  refuse: Refuse,
): AsyncGenerator<Buffer> {
  const { createGunzip, createZstdDecompress, constants } = await import('node:zlib');
  const chunkSize = ARCHIVE_PIECE_BYTES;
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_POWER };
  const decompressor =
    kind === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize, params });
  // The callback ignores errors, because the iterator below throws them.
  const pipe = pipeline(Readable.from(withoutReturn(compressed)), decompressor, () => undefined);
  try {
    yield* pipe.iterator();
    // The bytes after the compressed data are read, too, because the hash covers them.
    for await (const _ of compressed);
  } catch (thrown) {
    throw systemCode(thrown)?.startsWith('Z') ? refuse(decompressionProblem(kind, thrown)) : thrown;
  } finally {
    decompressor.destroy();
    // Ending the generator also closes the file.
    await compressed.return(undefined);
  }
}

/** Yields the same buffers, but does not close their source if the consumer stops early. */
async function* withoutReturn(pieces: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
}

function decompressionProblem(kind: string, thrown: unknown): string {
  const code = systemCode(thrown);
  if (code === 'Z_BUF_ERROR') return 'is truncated: it was not copied completely';
  if (code === 'ZSTD_error_frameParameter_windowTooLarge') {
    return `needs more than ${2 ** ZSTD_WINDOW_POWER} bytes of memory to unpack: use "zstd -19" or less, without "--long"`;
  }
  return `is corrupted: ${kind} reports "${reasonOf(thrown)}"`;
}
