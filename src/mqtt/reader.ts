import { isUtf8 } from 'node:buffer';
import { hasForbiddenCharacter } from '../core/text/characters.ts';
import type { ProtocolError } from './reasons.ts';
import { protocolError, REASON } from './reasons.ts';

/**
 * Cursor over the bytes of one packet (MQTT 5, 1.5). `error` contains the first error. After an error, all
 * reads return empty values. Therefore a parser can read the whole packet, and check for an error once at the
 * end.
 */
export type PacketReader = {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
  readonly strictness: Strictness;
  error: ProtocolError | undefined;
};

/**
 * Handling of strings with forbidden characters other than U+0000 (MQTT 5, 1.5.4), and of too many user
 * properties. `strict` is for packets of clients: the packet is refused. `lenient` is for packets of servers:
 * the packet is accepted, and the code that handles the message refuses only this message. If the hub closed
 * the connection instead, the server would send the packet again after each reconnect.
 */
export type Strictness = 'strict' | 'lenient';

const NOTHING = Buffer.alloc(0);

export function createPacketReader(
  bytes: Buffer,
  start: number,
  end: number,
  strictness: Strictness = 'strict',
): PacketReader {
  return { bytes, at: start, end, strictness, error: undefined };
}

/** Records an error of the packet, unless an error is already recorded. */
export function setError(reader: PacketReader, code: number, reason: string): void {
  reader.error ??= protocolError(code, reason);
}

/** Moves the cursor by `size` bytes. Returns false and records an error if the packet is too short. */
function advance(reader: PacketReader, size: number): boolean {
  if (reader.error !== undefined) return false;
  if (reader.at + size > reader.end) {
    setError(reader, REASON.malformedPacket, 'a packet is truncated');
    return false;
  }
  reader.at += size;
  return true;
}

export function readByte(reader: PacketReader): number {
  return advance(reader, 1) ? (reader.bytes[reader.at - 1] ?? 0) : 0;
}

export function readUint16(reader: PacketReader): number {
  return advance(reader, 2) ? reader.bytes.readUInt16BE(reader.at - 2) : 0;
}

export function readUint32(reader: PacketReader): number {
  return advance(reader, 4) ? reader.bytes.readUInt32BE(reader.at - 4) : 0;
}

/**
 * Reads a variable byte integer (1.5.5). The integer must have the minimum number of bytes [MQTT-1.5.5-1].
 */
export function readVariable(reader: PacketReader): number {
  let value = 0;
  for (let index = 0; index < 4; index++) {
    const byte = readByte(reader);
    value += (byte & 0x7f) * 0x80 ** index;
    if (byte >= 0x80) continue;
    if (index > 0 && byte === 0) break;
    return value;
  }
  setError(reader, REASON.malformedPacket, 'a variable byte integer has more bytes than necessary');
  return 0;
}

export function readBinary(reader: PacketReader): Buffer {
  const length = readUint16(reader);
  return advance(reader, length) ? reader.bytes.subarray(reader.at - length, reader.at) : NOTHING;
}

/** Reads a UTF-8 string [MQTT-1.5.4-1] without forbidden characters [MQTT-1.5.4-2]. */
export function readText(reader: PacketReader, strictness = reader.strictness): string {
  const length = readUint16(reader);
  if (!advance(reader, length)) return '';
  const text = textAt(reader.bytes, reader.at - length, reader.at, strictness);
  if (text === undefined) setError(reader, REASON.malformedPacket, NOT_A_STRING);
  return text ?? '';
}

export const NOT_A_STRING = 'a string is not UTF-8 or contains a character that MQTT forbids';

/**
 * Decodes an MQTT string. Undefined if the bytes are not UTF-8 or contain a forbidden character (MQTT 5,
 * 1.5.4). Most strings are ASCII without control characters. For such a string, one pass over the bytes is
 * enough.
 */
export function textAt(
  bytes: Buffer,
  start: number,
  end: number,
  strictness: Strictness,
): string | undefined {
  let allBits = 0;
  let minByte = 0xff;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    // Adding 1 to DEL (0x7f) sets bit 7, so DEL does not count as plain ASCII.
    allBits |= byte + 1;
    if (byte < minByte) minByte = byte;
  }
  if (minByte === 0 || (minByte < 0x20 && strictness === 'strict')) return undefined;
  if (allBits < 0x80) return bytes.toString('latin1', start, end);
  if (!isUtf8(bytes.subarray(start, end))) return undefined;
  const text = bytes.toString('utf8', start, end);
  return strictness === 'strict' && hasForbiddenCharacter(text) ? undefined : text;
}
