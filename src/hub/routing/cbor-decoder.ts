import { isUtf8 } from 'node:buffer';
import { MAX_CBOR_NESTING, MAX_CBOR_VALUES } from '../limits.ts';

/*
 * Decoder of the part of CBOR (RFC 8949) that conditions need. The library cbor-x is not used for bodies,
 * because malicious input could make the library create dates, sets, errors and classes. This decoder creates
 * only plain values.
 */

/** Major types (RFC 8949, 3.1). */
const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;

/** Values of the additional information in the head of an item (RFC 8949, 3). */
const ONE_BYTE = 24;
const EIGHT_BYTES = 27;
const INDEFINITE = 31;
const BREAK = 0xff;

const SIMPLE: ReadonlyMap<number, unknown> = new Map<number, unknown>([
  [20, false],
  [21, true],
  [22, null],
]);

/** Throws a `RangeError` for bytes that are not well-formed CBOR. */
const malformed = (): never => {
  throw new RangeError('not well-formed CBOR');
};

/**
 * Decodes the single item in `bytes` to a JSON value: maps become objects, integers become numbers. Byte
 * strings, tagged values and other types without a JSON equivalent become undefined. Throws `RangeError` if
 * the bytes are not well-formed, nest deeper than MAX_CBOR_NESTING or contain more than MAX_CBOR_VALUES
 * values.
 */
export function decodeCbor(bytes: Buffer): unknown {
  let at = 0;
  let values = 0;

  const byte = (): number => {
    if (at >= bytes.length) malformed();
    return bytes.readUInt8(at++);
  };

  /**
   * Reads the argument of an item's head (RFC 8949, 3), a big-endian number. `info` is the additional
   * information in the head.
   */
  const argument = (info: number): number => {
    if (info < ONE_BYTE) return info;
    if (info > EIGHT_BYTES) malformed();
    const size = 1 << (info - ONE_BYTE);
    const start = skip(size);
    return size === 8 ? Number(bytes.readBigUInt64BE(start)) : bytes.readUIntBE(start, size);
  };

  /** Advances by `length` bytes and returns the offset of the first of these bytes. */
  const skip = (length: number): number => {
    if (length > bytes.length - at) malformed();
    at += length;
    return at - length;
  };

  /**
   * Calls `visit` with the start and end of each chunk of an indefinite-length string. Throws if the type of
   * a chunk is not `major`.
   */
  const eachChunk = (major: number, visit: (start: number, end: number) => void): void => {
    for (let head = byte(); head !== BREAK; head = byte()) {
      if (head >> 5 !== major || (head & INDEFINITE) === INDEFINITE) malformed();
      visit(skip(argument(head & INDEFINITE)), at);
    }
  };

  const text = (info: number): string => {
    if (info !== INDEFINITE) return textAt(bytes, skip(argument(info)), at);
    // The first pass computes the total length, so that one buffer is allocated for all chunks. A separate
    // buffer for each chunk would take a hundred bytes of memory even for a chunk of one byte.
    const start = at;
    let length = 0;
    eachChunk(TEXT, (from, to) => {
      length += to - from;
    });
    const whole = Buffer.allocUnsafe(length);
    at = start;
    length = 0;
    eachChunk(TEXT, (from, to) => {
      length += bytes.copy(whole, length, from, to);
    });
    return textAt(whole, 0, length);
  };

  const skipString = (info: number): void => {
    if (info === INDEFINITE) eachChunk(BYTES, () => {});
    else skip(argument(info));
  };

  /** Calls `one` once for each item of an array, or once for each key-value pair of a map. */
  const each = (info: number, one: () => void): void => {
    if (info !== INDEFINITE) {
      for (let left = argument(info); left > 0; left -= 1) one();
      return;
    }
    while (bytes[at] !== BREAK) one();
    at += 1;
  };

  const float = (info: number): unknown => {
    if (info === ONE_BYTE + 1) return halfFloat(bytes.readUInt16BE(skip(2)));
    if (info === ONE_BYTE + 2) return bytes.readFloatBE(skip(4));
    if (info === EIGHT_BYTES) return bytes.readDoubleBE(skip(8));
    if (info >= INDEFINITE - 3) malformed();
    return SIMPLE.get(argument(info));
  };

  const item = (depth: number): unknown => {
    values += 1;
    if (depth > MAX_CBOR_NESTING || values > MAX_CBOR_VALUES) malformed();
    const head = byte();
    const major = head >> 5;
    const info = head & INDEFINITE;
    switch (major) {
      case UNSIGNED:
        return argument(info);
      case NEGATIVE:
        return -1 - argument(info);
      case BYTES:
        skipString(info);
        return undefined;
      case TEXT:
        return text(info);
      case ARRAY: {
        const array: unknown[] = [];
        each(info, () => array.push(item(depth + 1)));
        return array;
      }
      case MAP: {
        const object: Record<string, unknown> = {};
        each(info, () => {
          const key = item(depth + 1);
          const value = item(depth + 1);
          if (typeof key === 'string' || typeof key === 'number') setMember(object, key, value);
        });
        return object;
      }
      case TAG:
        argument(info);
        item(depth + 1);
        return undefined;
      default:
        return float(info);
    }
  };

  const value = item(0);
  return at === bytes.length ? value : malformed();
}

/**
 * Decodes UTF-8. Throws for invalid UTF-8. Most texts are short ASCII. A loop recognizes them faster than a
 * decoder.
 */
function textAt(bytes: Buffer, start: number, end: number): string {
  let wide = 0;
  for (let at = start; at < end; at += 1) wide |= bytes[at] ?? 0;
  if (wide < 0x80) return bytes.toString('latin1', start, end);
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : malformed();
}

/**
 * Adds a member to an object. The member `__proto__` is added with `defineProperty`, because an assignment
 * would set the prototype.
 */
function setMember(object: Record<string, unknown>, key: string | number, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Decodes a half-precision float (RFC 8949, appendix D). */
function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent < 0x1f) return sign * (fraction + 1024) * 2 ** (exponent - 25);
  return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
}
