/*
 * CBOR (RFC 8949, 3) as far as a message needs it, written in place: the library makes a buffer of its own for
 * each value, and a store under load has no time for that. What is written here the library reads.
 */

/** Major types, and simple values with their heads. */
export const BYTES = 0x40;
const TEXT = 0x60;
export const ARRAY = 0x80;
export const FALSE = 0xf4;
export const TRUE = 0xf5;
export const NULL = 0xf6;

/** A text up to this length is copied faster by a loop than by a call. */
const SHORT = 24;

/** Bytes of the head of something of `length`, which is less than 4 GB. */
export function headSize(length: number): number {
  if (length < 24) return 1;
  if (length < 0x100) return 2;
  return length < 0x1_0000 ? 3 : 5;
}

export function textSize(text: string): number {
  const length = Buffer.byteLength(text);
  return headSize(length) + length;
}

/** Names and texts, one behind the other, in a list: a map's name could be one that JavaScript keeps for itself. */
export function pairsSize(pairs: Readonly<Record<string, string>>): number {
  let size = 0;
  let count = 0;
  for (const [name, text] of Object.entries(pairs)) {
    size += textSize(name) + textSize(text);
    count += 2;
  }
  return headSize(count) + size;
}

/** Each of these writes at `at`, and returns where it ended. */
export function writeHead(target: Buffer, at: number, major: number, length: number): number {
  if (length < 24) return target.writeUInt8(major | length, at);
  if (length < 0x100) return target.writeUInt8(length, target.writeUInt8(major | 24, at));
  if (length < 0x1_0000) return target.writeUInt16BE(length, target.writeUInt8(major | 25, at));
  return target.writeUInt32BE(length, target.writeUInt8(major | 26, at));
}

export function writeText(target: Buffer, at: number, text: string): number {
  const length = Buffer.byteLength(text);
  const start = writeHead(target, at, TEXT, length);
  if (length === text.length && length < SHORT) {
    for (let index = 0; index < length; index++) target[start + index] = text.charCodeAt(index);
  } else target.write(text, start, length === text.length ? 'latin1' : 'utf8');
  return start + length;
}

export function writePairs(target: Buffer, at: number, pairs: Readonly<Record<string, string>>): number {
  const entries = Object.entries(pairs);
  let end = writeHead(target, at, ARRAY, 2 * entries.length);
  for (const [name, text] of entries) end = writeText(target, writeText(target, end, name), text);
  return end;
}
