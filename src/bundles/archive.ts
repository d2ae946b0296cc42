import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { decompressed } from './compression.ts';
import { inputOf } from './input.ts';
import type { Inventory } from './inventory.ts';
import { createInventory } from './inventory.ts';
import { ARCHIVE_END_BYTES, ARCHIVE_ENTRY_BYTES, ARCHIVE_PIECE_BYTES } from './limits.ts';
import type { Content, Entry } from './tar.ts';
import { walk } from './tar.ts';
import type { LocalSource, Refuse, Wanted, WantedBundle } from './types.ts';

/** Bytes that an archive of what `bounds` allow can have, packed or not. */
export function mostBytes({ size, files }: { size: number; files: number }): number {
  return size + files * ARCHIVE_ENTRY_BYTES + ARCHIVE_END_BYTES;
}

export function refusalOf({ subject }: Wanted): Refuse {
  return complaint => new Failure('bundle.refused', `${subject} ${complaint}.`);
}

/**
 * The bytes of a source in pieces, each of which the taker may keep. More than `most` are not read. Throws Failure
 * `bundle.missing`, or the signal's reason.
 */
async function* piecesOf(
  wanted: Wanted,
  local: LocalSource,
  most: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { subject } = wanted;
  const lost = (reason: string): Failure =>
    new Failure('bundle.missing', `${subject} cannot be read from ${local.path}: ${reason}.`);
  // A pipe is not waited for.
  const file = await open(local.path, constants.O_RDONLY | constants.O_NONBLOCK).catch((thrown: unknown) => {
    throw lost(systemCode(thrown) === 'ENOENT' ? 'it is not there' : reasonOf(thrown));
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw lost('it is no file');
    const { offset, size } = local.part ?? { offset: 0, size: found.size };
    if (size > most) {
      throw new Failure(
        'bundle.refused',
        `${subject} is a file of ${size} bytes, and ${most} are the most for what is stated of it.`,
      );
    }
    for (let read = 0; read < size; ) {
      signal.throwIfAborted();
      const piece = Buffer.allocUnsafeSlow(Math.min(ARCHIVE_PIECE_BYTES, size - read));
      const { bytesRead } = await file
        .read(piece, 0, piece.length, offset + read)
        .catch((thrown: unknown) => {
          throw lost(reasonOf(thrown));
        });
      if (bytesRead === 0) throw lost('it ends too early');
      read += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Throws Failure `bundle.hash` unless the source has the wanted bytes, at most `most`. */
export async function verify(
  wanted: Wanted,
  local: LocalSource,
  most: number,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256');
  for await (const piece of piecesOf(wanted, local, most, signal)) hash.update(piece);
  compare(wanted, hash.digest('hex'));
}

function compare({ subject, sha256, source }: Wanted, actual: string): void {
  if (actual === sha256) return;
  const where = 'path' in source ? source.path : 'what was downloaded';
  throw new Failure(
    'bundle.hash',
    `${subject} should have the SHA-256 ${sha256}, and ${where} has ${actual}: it is damaged, or another file.`,
  );
}

type Visit = (entry: Entry, content: Content, inventory: Inventory) => Promise<void>;

/**
 * Reads an archive from its first byte to its last, within its bounds, and checks in passing that it still has the
 * bytes that were wanted. `visit` takes each entry into the inventory, which is returned.
 */
export async function readArchive(
  wanted: WantedBundle,
  local: LocalSource,
  signal: AbortSignal,
  visit: Visit,
): Promise<Inventory> {
  const refuse = refusalOf(wanted);
  const most = mostBytes(wanted);
  const hash = createHash('sha256');
  const packed = hashed(piecesOf(wanted, local, most, signal), hash);
  const pieces = atMost(decompressed(packed, refuse), most, refuse);
  const inventory = createInventory(wanted, refuse);
  try {
    await walk(inputOf(pieces), refuse, (entry, content) => visit(entry, content, inventory));
  } finally {
    await pieces.return(undefined);
  }
  inventory.finish();
  compare(wanted, hash.digest('hex'));
  return inventory;
}

async function* hashed(
  pieces: AsyncIterable<Buffer>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
}

async function* atMost(pieces: AsyncIterable<Buffer>, most: number, refuse: Refuse): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > most) throw refuse(`unpacks to more than ${most} bytes, the most for its "size" and "files"`);
    yield piece;
  }
}

/** Checks an archive from its first entry to its last as `prepare` does, and writes nothing. */
export function inspect(wanted: WantedBundle, local: LocalSource, signal: AbortSignal): Promise<Inventory> {
  return readArchive(wanted, local, signal, async (entry, _, inventory) => {
    inventory.admit(entry);
  });
}
