/*
 * CBOR (RFC 8949, section 3), limited to the types that a message needs. Values are written directly into the
 * target buffer. The library cbor-x would allocate a buffer for each value, which is too slow for a store
 * under load. The decoder of cbor-x can read the output.
 */

/** Major type of byte strings. */
const BYTES = 0x40;

/** Major type of unsigned integers. */
export const UNSIGNED = 0x00;

/** Major type of texts. */
const TEXT = 0x60;

/** Major type of arrays. */
export const ARRAY = 0x80;

/** Head (first byte) of the value null. */
export const NULL = 0xf6;

/**
 * Maximum length in characters of a text that is copied by a loop. `Buffer.write` is faster for longer texts.
 */
const MAX_LOOP_COPY = 24;

/** Maximum bytes of a text that is cached. */
const MAX_CACHED_BYTES = 128;

/**
 * Returns the number of bytes of a head (major type and length of a value). `length` must be less than 4 GB.
 */
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

/**
 * Writes a head (major type and length) at the position `at`. Returns the position behind the written bytes,
 * like all write functions of this file.
 */
export function writeHead(target: Buffer, at: number, major: number, length: number): number {
  if (length < 24) return target.writeUInt8(major | length, at);
  if (length < 0x100) return target.writeUInt8(length, target.writeUInt8(major | 24, at));
  if (length < 0x1_0000) return target.writeUInt16BE(length, target.writeUInt8(major | 25, at));
  return target.writeUInt32BE(length, target.writeUInt8(major | 26, at));
}

export function writeText(target: Buffer, at: number, text: string): number {
  const length = Buffer.byteLength(text);
  const start = writeHead(target, at, TEXT, length);
  if (length === text.length && length < MAX_LOOP_COPY) {
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

/** Returns the number in the head at `at`. For a text, byte string or array, this number is its length. */
export function headValue(bytes: Buffer, at: number): number {
  const low = (bytes[at] ?? 0) & 0x1f;
  if (low < 24) return low;
  if (at + 5 > bytes.length && low > 24) return Number.POSITIVE_INFINITY;
  if (low === 24) return bytes[at + 1] ?? 0;
  return low === 25 ? bytes.readUInt16BE(at + 1) : bytes.readUInt32BE(at + 1);
}

/** Returns the position behind the head at `at`. */
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

/** Reads the texts of an array and returns them with the position behind the array. */
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
 * Creates a reader that caches the last text. Consecutive texts are mostly equal, and a comparison is faster
 * than decoding.
 */
export function createTextReader(): (bytes: Buffer, at: number) => string {
  const cached = Buffer.alloc(MAX_CACHED_BYTES);
  let length = -1;
  let text = '';

  const isCached = (bytes: Buffer, start: number, size: number): boolean => {
    if (size !== length) return false;
    for (let index = 0; index < size; index++) if (bytes[start + index] !== cached[index]) return false;
    return true;
  };

  return (bytes, at) => {
    const start = headEnd(bytes, at);
    const size = headValue(bytes, at);
    if (isCached(bytes, start, size)) return text;
    const found = bytes.toString('utf8', start, start + size);
    if (size <= MAX_CACHED_BYTES) {
      bytes.copy(cached, 0, start, start + size);
      length = size;
      text = found;
    }
    return found;
  };
}
