import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { fileByteSource } from '../archive/byte-source.ts';
import { TAR_BLOCK_BYTES } from '../archive/tar.ts';
import { fsyncPath } from '../disk.ts';
import { ARCHIVE_PIECE_BYTES } from '../limits.ts';
import { MANIFEST } from './open-pack.ts';

/** End marker of a tar archive: two blocks of zeros. */
const END_MARKER = Buffer.alloc(2 * TAR_BLOCK_BYTES);

/**
 * Writes a pack atomically to `out`: a tar archive with the manifest, followed by the files sorted by hash,
 * so that equal content gives equal bytes. Throws Failure `pack.write` or `bundle.missing`.
 */
export async function writePack({
  manifest,
  files,
  out,
  progress = () => {},
}: {
  readonly manifest: Buffer;
  readonly files: readonly { readonly sha256: string; readonly path: string }[];
  readonly out: string;
  /** Called while a file is copied, with the bytes that are written and the size of the file in bytes. */
  readonly progress?: (done: number, of: number) => void;
}): Promise<void> {
  const draft = `${out}.${process.pid}.part`;
  const paths = new Map(files.map(({ sha256, path }) => [sha256, path]));
  try {
    const target = await open(draft, 'wx', 0o644);
    try {
      await target.writeFile(await headerOf(MANIFEST, manifest.length));
      await target.writeFile(padded(manifest));
      for (const sha256 of Array.from(paths.keys()).sort())
        await add(target, sha256, paths.get(sha256) ?? '', progress);
      await target.writeFile(END_MARKER);
      await target.sync();
    } finally {
      await target.close();
    }
    await rename(draft, out);
    await fsyncPath(dirname(resolve(out)));
  } catch (thrown) {
    await rm(draft, { force: true });
    if (thrown instanceof Failure) throw thrown;
    throw new Failure('pack.write', `The pack ${out} cannot be written: ${reasonOf(thrown)}.`);
  }
}

async function headerOf(name: string, size: number): Promise<Buffer> {
  const { encode } = await import('tar-stream/headers.js');
  const header = encode({ name, size, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), type: 'file' });
  if (header === null) throw new Error(`"${name}" is too long for a tar header`);
  return header;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (TAR_BLOCK_BYTES - 1))]);
}

async function add(
  target: FileHandle,
  sha256: string,
  path: string,
  progress: (done: number, of: number) => void,
): Promise<void> {
  const lost = (reason: string): Failure =>
    new Failure('bundle.missing', `${path} cannot be packed: ${reason}.`);
  const source = await open(path).catch((thrown: unknown) => {
    throw lost(systemCode(thrown) === 'ENOENT' ? 'no such file (ENOENT)' : reasonOf(thrown));
  });
  try {
    const { size } = await source.stat();
    await target.writeFile(await headerOf(`files/${sha256}`, size));
    const input = fileByteSource(source, size);
    while (input.position() < size) {
      const piece = await input.read(ARCHIVE_PIECE_BYTES);
      if (piece.length === 0) throw lost('the file was truncated while it was read');
      await target.writeFile(input.position() === size ? padded(piece) : piece);
      progress(input.position(), size);
    }
  } finally {
    await source.close();
  }
}
