import type { Input } from './input.ts';
import { exactly } from './input.ts';
import { MAX_EXTENSION_BYTES, MAX_EXTENSIONS } from './limits.ts';
import type { Extension } from './pax.ts';
import { extensionOf } from './pax.ts';
import type { Refuse } from './types.ts';

/** Bytes of which every header and every content is a multiple. */
export const BLOCK = 512;

/** One entry of an archive, as it says of itself; nothing of it is checked. */
export type Entry = {
  readonly name: string;
  /** What it links to, if it is a link. */
  readonly linkname: string;
  /** As tar-stream calls it; otherwise the letter of a type that it does not know. */
  readonly type: string;
  readonly mode: number;
  readonly size: number;
  readonly sparse: boolean;
  /** Where its content begins in the archive. */
  readonly offset: number;
};

/** The content of an entry, in pieces; what is not taken of it is passed over. */
export type Content = AsyncIterable<Buffer>;

type Visit = (entry: Entry, content: Content) => Promise<void>;

const TYPE_OFFSET = 156;
const EXTENSIONS = ['pax-header', 'gnu-long-path', 'gnu-long-link-path'];
const CUT_OFF = 'ends in the middle: it was not copied whole';

/** Reads an archive to its end mark, entry by entry, in its order. Throws what `refuse` makes if it is not a whole one. */
export async function walk(input: Input, refuse: Refuse, visit: Visit): Promise<void> {
  const { decode } = await import('tar-stream/headers.js');
  let extension: Extension = {};
  let extensions = 0;
  for (;;) {
    const at = input.position();
    const block = await exactly(input, BLOCK);
    if (block.length < BLOCK) throw refuse(at === 0 ? 'is not a tar archive' : CUT_OFF);
    const header = headerOf(decode, block, at, refuse);
    if (header === null) return readEnd(input, refuse);
    if (EXTENSIONS.includes(header.type ?? '') || header.type === 'pax-global-header') {
      if (++extensions > MAX_EXTENSIONS)
        throw refuse(`is damaged at byte ${at}: it says too much of one entry`);
      const more = await readExtension(input, header.type ?? '', header.size, refuse);
      extension = { ...extension, ...more };
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
    const rest = entry.offset + Math.ceil(size / BLOCK) * BLOCK - input.position();
    if ((await input.skip(rest)) < rest) throw refuse(CUT_OFF);
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
    throw refuse(at === 0 ? 'is not a tar archive' : `is damaged at byte ${at}`);
  }
  if (header === null) return block.every(byte => byte === 0) ? null : damaged(at, refuse);
  const whole = Number.isSafeInteger(header.size) && header.size >= 0 && Number.isSafeInteger(header.mode);
  return whole ? header : damaged(at, refuse);
}

function damaged(at: number, refuse: Refuse): never {
  throw refuse(`is damaged at byte ${at}`);
}

async function* contentOf(input: Input, end: number, refuse: Refuse): AsyncGenerator<Buffer> {
  while (input.position() < end) {
    const piece = await input.some(end - input.position());
    if (piece.length === 0) throw refuse(CUT_OFF);
    yield piece;
  }
}

async function readExtension(input: Input, type: string, size: number, refuse: Refuse): Promise<Extension> {
  const at = input.position();
  if (size > MAX_EXTENSION_BYTES) throw refuse(`is damaged at byte ${at}: it says too much of one entry`);
  const padded = await exactly(input, Math.ceil(size / BLOCK) * BLOCK);
  if (padded.length < size) throw refuse(CUT_OFF);
  const bytes = padded.subarray(0, size);
  // GNU's long names end with a NUL.
  const text = bytes.toString('utf8').replace(/\0$/, '');
  if (type === 'gnu-long-path') return { name: text };
  if (type === 'gnu-long-link-path') return { linkname: text };
  const extension = extensionOf(bytes);
  if (extension === undefined) throw refuse(`is damaged at byte ${at}`);
  if (type === 'pax-header') return extension;
  // One for all entries holds remarks, as git writes them; names for all entries make no sense.
  if (Object.keys(extension).length > 0)
    throw refuse(`is damaged at byte ${at}: it names all entries at once`);
  return {};
}

/** Behind the end mark there are zeros, which fill the archive up to what tapes like. */
async function readEnd(input: Input, refuse: Refuse): Promise<void> {
  for (;;) {
    const at = input.position();
    const piece = await input.some(BLOCK);
    if (piece.length === 0) return;
    if (piece.some(byte => byte !== 0)) throw refuse(`goes on behind its end, at byte ${at}`);
  }
}
