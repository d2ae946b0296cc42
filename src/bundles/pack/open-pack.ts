import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { MAX_MANIFEST_BYTES } from '../../core/limits.ts';
import { fileByteSource, readExactly } from '../archive/byte-source.ts';
import { isTar } from '../archive/decompress.ts';
import { quoted } from '../archive/entry-names.ts';
import type { EntryContent, TarEntry } from '../archive/tar.ts';
import { readTar, TAR_BLOCK_BYTES } from '../archive/tar.ts';
import { MAX_PACK_FILES } from '../limits.ts';
import type { Refuse } from '../types.ts';

/** Manifest of a pack, and the position of each file by its SHA-256. The hashes are not verified yet. */
export type Pack = { readonly manifest: Buffer; readonly files: ReadonlyMap<string, PackedFile> };

export type PackedFile = { readonly offset: number; readonly size: number };

/** Name of the first entry of a pack. */
export const MANIFEST = 'manifest.json';

/** Pattern of the names of the entries that follow the manifest. */
const FILE = /^files\/([0-9a-f]{64})$/;

/** True if the file is an archive and not a plain manifest. Throws Failure `manifest.missing`. */
export async function isPack(path: string): Promise<boolean> {
  const file = await opened(path);
  try {
    return isTar(await readExactly(fileByteSource(file, TAR_BLOCK_BYTES), TAR_BLOCK_BYTES));
  } finally {
    await file.close();
  }
}

/**
 * Reads the manifest of a pack and the headers of its files. Throws Failure `pack.refused` or
 * `manifest.missing`.
 */
export async function openPack(path: string): Promise<Pack> {
  const refuse: Refuse = complaint => new Failure('pack.refused', `The pack ${path} ${complaint}.`);
  const file = await opened(path);
  try {
    let manifest: Buffer | undefined;
    const files = new Map<string, PackedFile>();
    await readTar(fileByteSource(file, (await file.stat()).size), refuse, async (entry, content) => {
      if (manifest === undefined) manifest = await manifestOf(entry, content, refuse);
      else addFile(files, entry, refuse);
    });
    if (manifest === undefined) throw refuse('is empty');
    return { manifest, files };
  } finally {
    await file.close();
  }
}

async function opened(path: string): Promise<FileHandle> {
  const lost = (reason: string): Failure =>
    new Failure('manifest.missing', `${path} cannot be read: ${reason}.`);
  let file: FileHandle;
  try {
    // O_NONBLOCK is set, so that opening a FIFO does not wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    throw lost(systemCode(thrown) === 'ENOENT' ? 'no such file (ENOENT)' : reasonOf(thrown));
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw lost('it is not a regular file');
}

async function manifestOf(entry: TarEntry, content: EntryContent, refuse: Refuse): Promise<Buffer> {
  if (entry.name !== MANIFEST || entry.type !== 'file') {
    throw refuse(`starts with ${quoted(entry.name)} instead of "${MANIFEST}": make it with "skerry pack"`);
  }
  if (entry.size > MAX_MANIFEST_BYTES)
    throw refuse(`holds a manifest of more than ${MAX_MANIFEST_BYTES} bytes`);
  const pieces: Buffer[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces);
}

function addFile(
  files: Map<string, PackedFile>,
  { name, type, sparse, offset, size }: TarEntry,
  refuse: Refuse,
): void {
  const sha256 = FILE.exec(name)?.[1];
  if (sha256 === undefined || type !== 'file' || sparse) {
    throw refuse(`holds ${quoted(name)}, which does not belong in a pack: make it with "skerry pack"`);
  }
  if (files.has(sha256)) throw refuse(`holds ${quoted(name)} twice`);
  if (files.size === MAX_PACK_FILES) throw refuse(`holds more than ${MAX_PACK_FILES} files`);
  files.set(sha256, { offset, size });
}
