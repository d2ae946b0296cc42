import { isUtf8 } from 'node:buffer';
import { MAX_CBOR_NESTING } from '../core/limits.ts';

/*
 * CBOR (RFC 8949) as far as conditions look into bodies. The library's decoder makes dates, sets, errors and whatever
 * its tag 27 names of what a sender writes; a body from anybody needs one that makes plain values only.
 */

/** Major types (RFC 8949, 3.1). */
const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;

/** Additional information: what follows the head (RFC 8949, 3). */
const ONE_BYTE = 24;
const EIGHT_BYTES = 27;
const INDEFINITE = 31;
const BREAK = 0xff;

const SIMPLE: ReadonlyMap<number, unknown> = new Map<number, unknown>([
  [20, false],
  [21, true],
  [22, null],
]);

/** Throws `RangeError`: the bytes are not one well-formed item. */
const malformed = (): never => {
  throw new RangeError('not well-formed CBOR');
};

/**
 * The value of one item that fills `bytes`, as JSON would have it: maps become objects without a prototype, integers
 * numbers. Byte strings, tagged values and what else JSON has not are undefined. Throws `RangeError` if the bytes are
 * not well-formed or nest deeper than MAX_CBOR_NESTING.
 */
export function decodeCbor(bytes: Buffer): unknown {
  let at = 0;

  const byte = (): number => {
    if (at >= bytes.length) malformed();
    return bytes.readUInt8(at++);
  };

  /** The argument of a head; its bytes are big-endian. */
  const argument = (info: number): number => {
    if (info < ONE_BYTE) return info;
    if (info > EIGHT_BYTES) malformed();
    const size = 1 << (info - ONE_BYTE);
    if (at + size > bytes.length) malformed();
    const start = at;
    at += size;
    return size === 8 ? Number(bytes.readBigUInt64BE(start)) : bytes.readUIntBE(start, size);
  };

  const slice = (length: number): Buffer => {
    if (length > bytes.length - at) malformed();
    at += length;
    return bytes.subarray(at - length, at);
  };

  /** A text or a byte string; one of indefinite length is made of chunks of its own type. */
  const chunks = (major: number, info: number): Buffer => {
    if (info !== INDEFINITE) return slice(argument(info));
    const parts: Buffer[] = [];
    for (let head = byte(); head !== BREAK; head = byte()) {
      if (head >> 5 !== major || (head & INDEFINITE) === INDEFINITE) malformed();
      parts.push(slice(argument(head & INDEFINITE)));
    }
    return Buffer.concat(parts);
  };

  const text = (info: number): string => {
    const part = chunks(TEXT, info);
    return isUtf8(part) ? part.toString() : malformed();
  };

  /** Calls `one` for each item of an array or a map. */
  const each = (info: number, one: () => void): void => {
    if (info !== INDEFINITE) {
      for (let left = argument(info); left > 0; left -= 1) one();
      return;
    }
    while (bytes[at] !== BREAK) one();
    at += 1;
  };

  const float = (info: number): unknown => {
    if (info === ONE_BYTE + 1) return halfFloat(slice(2).readUInt16BE());
    if (info === ONE_BYTE + 2) return slice(4).readFloatBE();
    if (info === EIGHT_BYTES) return slice(8).readDoubleBE();
    if (info >= INDEFINITE - 3) malformed();
    return SIMPLE.get(argument(info));
  };

  const item = (depth: number): unknown => {
    if (depth > MAX_CBOR_NESTING) malformed();
    const head = byte();
    const major = head >> 5;
    const info = head & INDEFINITE;
    switch (major) {
      case UNSIGNED:
        return argument(info);
      case NEGATIVE:
        return -1 - argument(info);
      case BYTES:
        chunks(BYTES, info);
        return undefined;
      case TEXT:
        return text(info);
      case ARRAY: {
        const array: unknown[] = [];
        each(info, () => array.push(item(depth + 1)));
        return array;
      }
      case MAP: {
        const object: Record<string, unknown> = Object.create(null);
        each(info, () => {
          const key = item(depth + 1);
          const value = item(depth + 1);
          if (typeof key === 'string' || typeof key === 'number') object[key] = value;
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

/** A number of 16 bits (RFC 8949, appendix D). */
function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent < 0x1f) return sign * (fraction + 1024) * 2 ** (exponent - 25);
  return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
}
