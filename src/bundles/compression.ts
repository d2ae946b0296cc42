import { pipeline, Readable } from 'node:stream';
import { reasonOf, systemCode } from '../core/errors.ts';
import { ARCHIVE_PIECE_BYTES, MAX_ZSTD_WINDOW_LOG } from './limits.ts';
import type { Refuse } from './types.ts';

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const USTAR = Buffer.from('ustar');
const USTAR_OFFSET = 257;

/** Whether a file that begins like this is a tar archive, by its magic bytes (POSIX.1-2024, pax, "ustar Header Block"). */
export function isTar(start: Buffer): boolean {
  return start.subarray(USTAR_OFFSET, USTAR_OFFSET + USTAR.length).equals(USTAR);
}

/** The archive in a file that is `tar`, `tar.gz` or `tar.zst`, by what it begins with, whatever it is called. */
export async function* decompressed(packed: AsyncGenerator<Buffer>, refuse: Refuse): AsyncGenerator<Buffer> {
  const { done, value: first } = await packed.next();
  if (done === true) throw refuse('is empty');
  const all = startingWith(first, packed);
  const begins = (magic: Buffer): boolean => first.subarray(0, magic.length).equals(magic);
  if (begins(GZIP)) yield* through('gzip', all, refuse);
  else if (begins(ZSTD)) yield* through('zstd', all, refuse);
  else if (isTar(first)) yield* all;
  else {
    await packed.return(undefined);
    throw refuse('is neither tar nor tar with gzip or zstd');
  }
}

async function* startingWith(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first;
    yield* rest;
  } finally {
    // It is not closed by itself if it was never asked for more.
    await rest.return(undefined);
  }
}

async function* through(
  kind: 'gzip' | 'zstd',
  packed: AsyncGenerator<Buffer>,
  refuse: Refuse,
): AsyncGenerator<Buffer> {
  const { createGunzip, createZstdDecompress, constants } = await import('node:zlib');
  const chunkSize = ARCHIVE_PIECE_BYTES;
  const params = { [constants.ZSTD_d_windowLogMax]: MAX_ZSTD_WINDOW_LOG };
  const opened = kind === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize, params });
  // Its errors come out of what is read.
  const pipe = pipeline(Readable.from(lent(packed)), opened, () => undefined);
  try {
    yield* pipe.iterator();
    // What stands behind the packed archive is not unpacked, and belongs to its hash.
    for await (const _ of packed);
  } catch (thrown) {
    throw systemCode(thrown)?.startsWith('Z') ? refuse(complaintOf(kind, thrown)) : thrown;
  } finally {
    opened.destroy();
    // Once it is closed, its file is too.
    await packed.return(undefined);
  }
}

/** The same pieces, whose taker may stop without closing where they come from. */
async function* lent(pieces: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
}

function complaintOf(kind: string, thrown: unknown): string {
  const code = systemCode(thrown);
  if (code === 'Z_BUF_ERROR') return 'ends in the middle: it was not copied whole';
  if (code === 'ZSTD_error_frameParameter_windowTooLarge') {
    return `takes more than ${2 ** MAX_ZSTD_WINDOW_LOG} bytes of memory to unpack: use "zstd -19" or less, without "--long"`;
  }
  return `is damaged: ${kind} says "${reasonOf(thrown)}"`;
}
