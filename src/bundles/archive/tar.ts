import { MAX_EXTENSION_BYTES, MAX_EXTENSIONS } from '../limits.ts';
import type { Refuse } from '../types.ts';
import type { ByteSource } from './byte-source.ts';
import { readExactly } from './byte-source.ts';
import type { ExtendedHeader } from './pax.ts';
import { parseExtendedHeader } from './pax.ts';

/** Bytes of a block. Headers and contents are padded to a multiple of this size. */
export const TAR_BLOCK_BYTES = 512;

/** Entry of an archive as its header describes it. Not checked yet. */
export type TarEntry = {
  readonly name: string;
  /** Target of a link. Empty for other entries. */
  readonly linkname: string;
  /** Type by tar-stream's name, or the letter of an unknown type. */
  readonly type: string;
  readonly mode: number;
  readonly size: number;
  readonly sparse: boolean;
  /** Offset of the content in the archive. */
  readonly offset: number;
};

/** Content of an entry in pieces. If the consumer stops early, `readTar` skips the remaining pieces. */
export type EntryContent = AsyncIterable<Buffer>;

type Visit = (entry: TarEntry, content: EntryContent) => Promise<void>;

const TYPE_OFFSET = 156;
const EXTENSIONS = ['pax-header', 'gnu-long-path', 'gnu-long-link-path'];
const TRUNCATED = 'is truncated: it was not copied completely';

/**
 * Reads an archive entry by entry up to its end marker. Throws an error created by `refuse` if the archive is
 * malformed or truncated.
 */
export async function readTar(input: ByteSource, refuse: Refuse, visit: Visit): Promise<void> {
  const { decode } = await import('tar-stream/headers.js');
  let extension: ExtendedHeader = {};
  let extensions = 0;
  for (;;) {
    const at = input.position();
    const block = await readExactly(input, TAR_BLOCK_BYTES);
    if (block.length < TAR_BLOCK_BYTES) throw refuse(at === 0 ? 'is not a tar archive' : TRUNCATED);
    const header = headerOf(decode, block, at, refuse);
    if (header === null) return readEnd(input, refuse);
    if (EXTENSIONS.includes(header.type ?? '') || header.type === 'pax-global-header') {
      if (++extensions > MAX_EXTENSIONS)
        throw refuse(`is corrupted at byte ${at}: the extended headers of one entry are too long`);
      const extended = await readExtension(input, header.type ?? '', header.size, refuse);
      extension = { ...extension, ...extended };
      continue;
    }
    const size = extension.size ?? header.size;
    const entry = {
      name: extension.name ?? header.name,
      linkname: extension.linkname ?? header.linkname ?? '',
      type: header.type ?? block.toString('latin1', TYPE_OFFSET, TYPE_OFFSET + 1),
      mode: header.mode,
      size,
      sparse: extension.sparse ?? false,
      offset: input.position(),
    };
    await visit(entry, contentOf(input, entry.offset + size, refuse));
    const rest = entry.offset + Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES - input.position();
    if ((await input.skip(rest)) < rest) throw refuse(TRUNCATED);
    extension = {};
    extensions = 0;
  }
}

type Decode = typeof import('tar-stream/headers.js').decode;

function headerOf(decode: Decode, block: Buffer, at: number, refuse: Refuse): ReturnType<Decode> {
  let header: ReturnType<Decode>;
  try {
    header = decode(block, 'utf8');
  } catch {
    throw refuse(at === 0 ? 'is not a tar archive' : `is corrupted at byte ${at}`);
  }
  if (header === null) return block.every(byte => byte === 0) ? null : corrupted(at, refuse);
  const whole = Number.isSafeInteger(header.size) && header.size >= 0 && Number.isSafeInteger(header.mode);
  return whole ? header : corrupted(at, refuse);
}

function corrupted(at: number, refuse: Refuse): never {
  throw refuse(`is corrupted at byte ${at}`);
}

async function* contentOf(input: ByteSource, end: number, refuse: Refuse): AsyncGenerator<Buffer> {
  while (input.position() < end) {
    const piece = await input.read(end - input.position());
    if (piece.length === 0) throw refuse(TRUNCATED);
    yield piece;
  }
}

async function readExtension(
  input: ByteSource,
  type: string,
  size: number,
  refuse: Refuse,
): Promise<ExtendedHeader> {
  const at = input.position();
  if (size > MAX_EXTENSION_BYTES)
    throw refuse(`is corrupted at byte ${at}: the extended headers of one entry are too long`);
  const padded = await readExactly(input, Math.ceil(size / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES);
  if (padded.length < size) throw refuse(TRUNCATED);
  const bytes = padded.subarray(0, size);
  // Long names in GNU format end with a NUL.
  const text = bytes.toString('utf8').replace(/\0$/, '');
  if (type === 'gnu-long-path') return { name: text };
  if (type === 'gnu-long-link-path') return { linkname: text };
  const extension = parseExtendedHeader(bytes);
  if (extension === undefined) throw refuse(`is corrupted at byte ${at}`);
  if (type === 'pax-header') return extension;
  // A global header can contain comments, as git writes them. Names and sizes in a global header are refused.
  if (Object.keys(extension).length > 0)
    throw refuse(`is corrupted at byte ${at}: a global header sets names`);
  return {};
}

/** Checks that only zeros follow the end marker. They pad the archive to its record size. */
async function readEnd(input: ByteSource, refuse: Refuse): Promise<void> {
  for (;;) {
    const at = input.position();
    const piece = await input.read(TAR_BLOCK_BYTES);
    if (piece.length === 0) return;
    if (piece.some(byte => byte !== 0)) throw refuse(`has data after its end marker, at byte ${at}`);
  }
}
