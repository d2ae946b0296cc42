import { createHash } from 'node:crypto';

/** An entry of a hand-made archive; what is left out is as in a plain file. */
export type Made = {
  readonly name?: string;
  readonly type?: string;
  readonly content?: string | Buffer;
  /** If it is not the content's. */
  readonly size?: number;
  readonly linkname?: string;
  readonly mode?: number;
  readonly magic?: string;
  readonly checksum?: number;
  readonly prefix?: string;
};

const BLOCK = 512;
export const END: Buffer = Buffer.alloc(2 * BLOCK);

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');

/** Tar entry, field by field as in POSIX, independent of the code under test. */
export function entry(made: Made): Buffer {
  const content = Buffer.from(made.content ?? '');
  const header = Buffer.alloc(BLOCK);
  header.write(made.name ?? 'file', 0, 100);
  header.write(octal(made.mode ?? 0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(made.size ?? content.length, 11), 124);
  header.write(octal(0, 11), 136);
  header.write('        ', 148);
  header.write(made.type ?? '0', 156);
  header.write(made.linkname ?? '', 157, 100);
  header.write(made.magic ?? 'ustar\u000000', 257);
  header.write(made.prefix ?? '', 345, 155);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${octal(made.checksum ?? sum, 6)}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc(-content.length & (BLOCK - 1))]);
}

/** A whole archive. */
export function archive(...entries: readonly (Made | Buffer)[]): Buffer {
  return Buffer.concat([...entries.map(one => (Buffer.isBuffer(one) ? one : entry(one))), END]);
}

/** The records of an extended header, which is itself an entry before the one that it is of. */
export function extended(records: Readonly<Record<string, string>>, type = 'x'): Made {
  const content = Object.entries(records).map(([key, value]) => record(`${key}=${value}\n`));
  return { name: 'PaxHeaders/x', type, content: content.join('') };
}

/** A record says its own length, itself included. */
function record(text: string): string {
  const bytes = Buffer.byteLength(text) + 1;
  let length = bytes;
  while (length !== bytes + String(length).length) length = bytes + String(length).length;
  return `${length} ${text}`;
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
