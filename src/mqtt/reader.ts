import { isUtf8 } from 'node:buffer';
import { hasForbiddenCharacter } from '../core/characters.ts';
import type { Fault } from './reasons.ts';
import { fault, REASON } from './reasons.ts';

/**
 * A place in the bytes of one packet (MQTT 5, 1.5). What cannot be read makes a fault, which stands: all that is read
 * behind it is nothing, so a packet is read to its end and its fault asked for then.
 */
export type Reader = {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
  readonly strictness: Strictness;
  fault: Fault | undefined;
};

/**
 * Treatment of strings with forbidden characters other than U+0000 (MQTT 5, 1.5.4), and of too many user properties. `strict`, for packets of clients:
 * the packet is malformed. `lenient`, for packets of servers: the string is read, because ending the connection would
 * bring it back with the session; whoever reads it refuses that message alone.
 */
export type Strictness = 'strict' | 'lenient';

const NOTHING = Buffer.alloc(0);

export function readerOf(
  bytes: Buffer,
  start: number,
  end: number,
  strictness: Strictness = 'strict',
): Reader {
  return { bytes, at: start, end, strictness, fault: undefined };
}

/** Says that the packet is wrong; the first fault stands. */
export function blame(reader: Reader, code: number, reason: string): void {
  reader.fault ??= fault(code, reason);
}

/** True if `size` more bytes are there, and steps over them. */
function step(reader: Reader, size: number): boolean {
  if (reader.fault !== undefined) return false;
  if (reader.at + size > reader.end) {
    blame(reader, REASON.malformedPacket, 'a packet is cut short');
    return false;
  }
  reader.at += size;
  return true;
}

export function readByte(reader: Reader): number {
  return step(reader, 1) ? (reader.bytes[reader.at - 1] ?? 0) : 0;
}

export function readTwo(reader: Reader): number {
  return step(reader, 2) ? reader.bytes.readUInt16BE(reader.at - 2) : 0;
}

export function readFour(reader: Reader): number {
  return step(reader, 4) ? reader.bytes.readUInt32BE(reader.at - 4) : 0;
}

/** A variable byte integer (1.5.5): in as few bytes as it needs [MQTT-1.5.5-1]. */
export function readVariable(reader: Reader): number {
  let value = 0;
  for (let index = 0; index < 4; index++) {
    const byte = readByte(reader);
    value += (byte & 0x7f) * 0x80 ** index;
    if (byte >= 0x80) continue;
    if (index > 0 && byte === 0) break;
    return value;
  }
  blame(reader, REASON.malformedPacket, 'a number is not as short as it can be');
  return 0;
}

export function readBinary(reader: Reader): Buffer {
  const length = readTwo(reader);
  return step(reader, length) ? reader.bytes.subarray(reader.at - length, reader.at) : NOTHING;
}

/** A UTF-8 string [MQTT-1.5.4-1] without forbidden characters [MQTT-1.5.4-2]. */
export function readText(reader: Reader, strictness = reader.strictness): string {
  const length = readTwo(reader);
  if (!step(reader, length)) return '';
  const text = textAt(reader.bytes, reader.at - length, reader.at, strictness);
  if (text === undefined) blame(reader, REASON.malformedPacket, NOT_A_STRING);
  return text ?? '';
}

export const NOT_A_STRING = 'a string is not UTF-8 or contains a character that MQTT forbids';

/**
 * Decodes an MQTT string; undefined if it is not UTF-8 or contains a forbidden character (MQTT 5, 1.5.4). Most strings
 * are ASCII without control characters, which one pass over the bytes shows.
 */
export function textAt(
  bytes: Buffer,
  start: number,
  end: number,
  strictness: Strictness,
): string | undefined {
  let wide = 0;
  let least = 0xff;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    // DEL, 0x7f, counts as not ASCII.
    wide |= byte + 1;
    if (byte < least) least = byte;
  }
  if (least === 0 || (least < 0x20 && strictness === 'strict')) return undefined;
  if (wide < 0x80) return bytes.toString('latin1', start, end);
  if (!isUtf8(bytes.subarray(start, end))) return undefined;
  const text = bytes.toString('utf8', start, end);
  return strictness === 'strict' && hasForbiddenCharacter(text) ? undefined : text;
}
