import { createHash } from 'node:crypto';

/** Fields of a tar entry. The default of each field is that of a regular file. */
export type TarEntry = {
  readonly name?: string;
  readonly type?: string;
  readonly content?: string | Buffer;
  /** Size in the header. Default: length of the content. */
  readonly size?: number;
  readonly linkname?: string;
  readonly mode?: number;
  readonly magic?: string;
  readonly checksum?: number;
  readonly prefix?: string;
};

const BLOCK = 512;
/** Two zero blocks, which end an archive. */
export const END: Buffer = Buffer.alloc(2 * BLOCK);

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');

/** Encodes a tar entry field by field as in POSIX, independently of the code under test. */
export function entry(fields: TarEntry): Buffer {
  const content = Buffer.from(fields.content ?? '');
  const header = Buffer.alloc(BLOCK);
  header.write(fields.name ?? 'file', 0, 100);
  header.write(octal(fields.mode ?? 0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(fields.size ?? content.length, 11), 124);
  header.write(octal(0, 11), 136);
  header.write('        ', 148);
  header.write(fields.type ?? '0', 156);
  header.write(fields.linkname ?? '', 157, 100);
  header.write(fields.magic ?? 'ustar\u000000', 257);
  header.write(fields.prefix ?? '', 345, 155);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${octal(fields.checksum ?? sum, 6)}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc(-content.length & (BLOCK - 1))]);
}

/** Encodes a complete archive. */
export function archive(...entries: readonly (TarEntry | Buffer)[]): Buffer {
  return Buffer.concat([...entries.map(one => (Buffer.isBuffer(one) ? one : entry(one))), END]);
}

/** Extended header (pax) with these records. It precedes the entry that it describes. */
export function extended(records: Readonly<Record<string, string>>, type = 'x'): TarEntry {
  const content = Object.entries(records).map(([key, value]) => record(`${key}=${value}\n`));
  return { name: 'PaxHeaders/x', type, content: content.join('') };
}

/** Record of an extended header. Its length prefix counts itself. */
function record(text: string): string {
  const bytes = Buffer.byteLength(text) + 1;
  let length = bytes;
  while (length !== bytes + String(length).length) length = bytes + String(length).length;
  return `${length} ${text}`;
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
