import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { ARCHIVE_END_BYTES, ARCHIVE_ENTRY_BYTES, ARCHIVE_PIECE_BYTES } from '../limits.ts';
import type { LocalSource, Refuse, WantedBundle, WantedFile } from '../types.ts';
import { byteSourceOf } from './byte-source.ts';
import { decompress } from './decompress.ts';
import type { Inventory } from './inventory.ts';
import { createInventory } from './inventory.ts';
import type { EntryContent, TarEntry } from './tar.ts';
import { readTar } from './tar.ts';

/**
 * Returns the maximum bytes of an archive whose content has at most `size` bytes and `files` entries. The
 * maximum applies to the compressed archive, too.
 */
export function maxArchiveBytes({ size, files }: { size: number; files: number }): number {
  return size + files * ARCHIVE_ENTRY_BYTES + ARCHIVE_END_BYTES;
}

export function refusalOf({ subject }: WantedFile): Refuse {
  return complaint => new Failure('bundle.refused', `${subject} ${complaint}.`);
}

/**
 * Reads a file of at most `maxBytes` in pieces. Each piece has its own buffer. Throws Failure
 * `bundle.missing` or `bundle.refused`, or the reason of the signal.
 */
async function* readPieces(
  wanted: WantedFile,
  local: LocalSource,
  maxBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { subject } = wanted;
  const lost = (reason: string): Failure =>
    new Failure('bundle.missing', `${subject} cannot be read from ${local.path}: ${reason}.`);
  // O_NONBLOCK is set, so that opening a FIFO does not wait for a writer.
  const file = await open(local.path, constants.O_RDONLY | constants.O_NONBLOCK).catch((thrown: unknown) => {
    throw lost(systemCode(thrown) === 'ENOENT' ? 'no such file (ENOENT)' : reasonOf(thrown));
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) throw lost('it is not a regular file');
    const { offset, size } = local.part ?? { offset: 0, size: found.size };
    if (size > maxBytes) {
      throw new Failure(
        'bundle.refused',
        `${subject} is a file of ${size} bytes, more than the ${maxBytes} that its "size" and "files" allow.`,
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
      if (bytesRead === 0) throw lost('unexpected end of file');
      read += bytesRead;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Verifies the SHA-256 of a file of at most `maxBytes`. Throws Failure `bundle.hash`. */
export async function verifyHash(
  wanted: WantedFile,
  local: LocalSource,
  maxBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256');
  for await (const piece of readPieces(wanted, local, maxBytes, signal)) hash.update(piece);
  compareHash(wanted, hash.digest('hex'));
}

function compareHash({ subject, sha256, source }: WantedFile, actual: string): void {
  if (actual === sha256) return;
  const where = 'path' in source ? source.path : 'the downloaded file';
  throw new Failure(
    'bundle.hash',
    `${subject} should have the SHA-256 ${sha256}, but ${where} has ${actual}: it is corrupted, or another file.`,
  );
}

type Visit = (entry: TarEntry, content: EntryContent, inventory: Inventory) => Promise<void>;

/**
 * Reads a whole archive within its bounds and verifies its hash at the end. `visit` adds each entry to the
 * inventory. Returns the inventory.
 */
export async function readArchive(
  wanted: WantedBundle,
  local: LocalSource,
  signal: AbortSignal,
  visit: Visit,
): Promise<Inventory> {
  const refuse = refusalOf(wanted);
  const maxBytes = maxArchiveBytes(wanted);
  const hash = createHash('sha256');
  const compressed = updateHash(readPieces(wanted, local, maxBytes, signal), hash);
  const pieces = limitBytes(decompress(compressed, refuse), maxBytes, refuse);
  const inventory = createInventory(wanted, refuse);
  try {
    await readTar(byteSourceOf(pieces), refuse, (entry, content) => visit(entry, content, inventory));
  } finally {
    await pieces.return(undefined);
  }
  inventory.validate();
  compareHash(wanted, hash.digest('hex'));
  return inventory;
}

async function* updateHash(
  pieces: AsyncIterable<Buffer>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
}

async function* limitBytes(
  pieces: AsyncIterable<Buffer>,
  maxBytes: number,
  refuse: Refuse,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > maxBytes)
      throw refuse(`unpacks to more than ${maxBytes} bytes, the limit by its "size" and "files"`);
    yield piece;
  }
}

/** Checks a whole archive without writing anything. */
export function inspectArchive(
  wanted: WantedBundle,
  local: LocalSource,
  signal: AbortSignal,
): Promise<Inventory> {
  return readArchive(wanted, local, signal, async (entry, _, inventory) => {
    inventory.add(entry);
  });
}
