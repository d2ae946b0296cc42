/*
 * CBOR (RFC 8949, 3) as far as a message needs it, written in place: the library makes a buffer of its own
 * for each value, and a store under load has no time for that. What is written here the library reads.
 */

/** Major types; NULL and UNSIGNED with their heads. */
const BYTES = 0x40;
export const UNSIGNED = 0x00;
const TEXT = 0x60;
export const ARRAY = 0x80;
export const NULL = 0xf6;

/** A text up to this length is copied faster by a loop than by a call. */
const SHORT = 24;

/** Bytes of a text that is remembered. */
const MAX_KNOWN = 128;

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

export function textsSize(texts: readonly string[]): number {
  let size = headSize(texts.length);
  for (const text of texts) size += textSize(text);
  return size;
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

export function writeTexts(target: Buffer, at: number, texts: readonly string[]): number {
  let end = writeHead(target, at, ARRAY, texts.length);
  for (const text of texts) end = writeText(target, end, text);
  return end;
}

export function writeBytes(target: Buffer, at: number, bytes: Uint8Array): number {
  const start = writeHead(target, at, BYTES, bytes.length);
  target.set(bytes, start);
  return start + bytes.length;
}

/** The number in the head at `at`: of a text, bytes or a list its length. */
export function headValue(bytes: Buffer, at: number): number {
  const low = (bytes[at] ?? 0) & 0x1f;
  if (low < 24) return low;
  if (at + 5 > bytes.length && low > 24) return Number.POSITIVE_INFINITY;
  if (low === 24) return bytes[at + 1] ?? 0;
  return low === 25 ? bytes.readUInt16BE(at + 1) : bytes.readUInt32BE(at + 1);
}

/** End of the head at `at`. */
export function headEnd(bytes: Buffer, at: number): number {
  const low = (bytes[at] ?? 0) & 0x1f;
  if (low < 24) return at + 1;
  if (low === 24) return at + 2;
  return low === 25 ? at + 3 : at + 5;
}

export function textIn(bytes: Buffer, at: number): string {
  const start = headEnd(bytes, at);
  return bytes.toString('utf8', start, start + headValue(bytes, at));
}

/** The texts of a list, and where it ends. */
export function readTexts(bytes: Buffer, start: number): { readonly texts: string[]; readonly end: number } {
  const texts: string[] = [];
  let at = headEnd(bytes, start);
  for (let left = headValue(bytes, start); left > 0 && at < bytes.length; left--) {
    texts.push(textIn(bytes, at));
    at = headEnd(bytes, at) + headValue(bytes, at);
  }
  return { texts, end: at };
}

/**
 * Creates a reader that caches the last text, because consecutive texts are mostly equal and comparing is
 * cheaper than decoding.
 */
export function createTextReader(): (bytes: Buffer, at: number) => string {
  const known = Buffer.alloc(MAX_KNOWN);
  let length = -1;
  let text = '';

  const isKnown = (bytes: Buffer, start: number, size: number): boolean => {
    if (size !== length) return false;
    for (let index = 0; index < size; index++) if (bytes[start + index] !== known[index]) return false;
    return true;
  };

  return (bytes, at) => {
    const start = headEnd(bytes, at);
    const size = headValue(bytes, at);
    if (isKnown(bytes, start, size)) return text;
    const found = bytes.toString('utf8', start, start + size);
    if (size <= MAX_KNOWN) {
      bytes.copy(known, 0, start, start + size);
      length = size;
      text = found;
    }
    return found;
  };
}
