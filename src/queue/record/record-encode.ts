import { crc32 } from 'node:zlib';
import { Encoder } from 'cbor-x';
import type { Message, Origin } from '../../core/message.ts';
import { DEFAULT_UPSTREAM } from '../../core/message.ts';
import {
  ARRAY,
  headSize,
  NULL,
  textSize,
  textsSize,
  UNSIGNED,
  writeBytes,
  writeHead,
  writeText,
  writeTexts,
} from './cbor.ts';

/*
 * Record: an encoded message in the journal, in LMDB and in the dead letters:
 *
 *   CRC-32 of the following bytes (4, big-endian)
 *   CBOR [topic, qos, flags, kind, name, output, [property, text, ...], content type, response topic,
 *         correlation data, seconds to live, body], null for each absent value
 *
 * LMDB has no checksums, and flash memory loses bits. Without a checksum a damaged body would be delivered.
 */
export const CRC_BYTES = 4;
export const FIELDS = 12;

/** Bytes of three CBOR heads: of the array, of QoS and of the flags. */
const FIXED_BYTES = 3;

/** Flag of a message that was published with RETAIN set. */
export const RETAIN = 1;

/** Flag of a message that is sent because it was retained. */
export const RETAINED = 2;

/**
 * Bit position of the payload format in the flags. The stored number is the payload format plus one, or 0 if
 * the format is undefined.
 */
export const FORMAT_SHIFT = 2;

const codec = new Encoder({ useRecords: false, tagUint8Array: false });

export function encodeRecord(message: Message): Buffer {
  const record = Buffer.allocUnsafe(recordSize(message));
  writeRecord(record, 0, message);
  return record;
}

export function recordSize(message: Message): number {
  const { topic, body, origin, properties, contentType, responseTopic, correlation, ttl } = message;
  return (
    CRC_BYTES +
    FIXED_BYTES +
    textSize(topic) +
    textSize(origin.kind) +
    textSize(nameOf(origin)) +
    textSize(outputOf(origin)) +
    (properties.length === 0 ? 1 : textsSize(properties)) +
    (contentType === undefined ? 1 : textSize(contentType)) +
    (responseTopic === undefined ? 1 : textSize(responseTopic)) +
    (correlation === undefined ? 1 : headSize(correlation.length) + correlation.length) +
    (ttl === undefined ? 1 : headSize(secondsOf(ttl))) +
    headSize(body.length) +
    body.length
  );
}

/**
 * Writes the record of a message to `target` at the position `at`. `target` must have space for
 * recordSize(message) bytes.
 */
export function writeRecord(target: Buffer, at: number, message: Message): void {
  const { topic, qos, origin, properties, contentType, responseTopic, correlation, ttl, body } = message;
  const start = at + CRC_BYTES;
  let end = writeHead(target, start, ARRAY, FIELDS);
  end = writeText(target, end, topic);
  target[end++] = qos;
  target[end++] = flagsOf(message);
  end = writeText(target, end, origin.kind);
  end = writeText(target, end, nameOf(origin));
  end = writeText(target, end, outputOf(origin));
  if (properties.length === 0) target[end++] = NULL;
  else end = writeTexts(target, end, properties);
  end = writeOptionalText(target, end, contentType);
  end = writeOptionalText(target, end, responseTopic);
  if (correlation === undefined) target[end++] = NULL;
  else end = writeBytes(target, end, correlation);
  if (ttl === undefined) target[end++] = NULL;
  else end = writeHead(target, end, UNSIGNED, secondsOf(ttl));
  end = writeBytes(target, end, body);
  target.writeUInt32BE(crc32(target.subarray(start, end)), at);
}

function writeOptionalText(target: Buffer, at: number, text: string | undefined): number {
  return text === undefined ? target.writeUInt8(NULL, at) : writeText(target, at, text);
}

function flagsOf({ retain, retained, payloadFormat }: Message): number {
  const format = payloadFormat === undefined ? 0 : payloadFormat + 1;
  return (retain ? RETAIN : 0) | (retained ? RETAINED : 0) | (format << FORMAT_SHIFT);
}

/** Converts milliseconds to seconds, which MQTT stores as a 32-bit number (MQTT 5, 3.3.2.3.3). */
function secondsOf(ttl: number): number {
  return Math.min(Math.ceil(ttl / 1000), 0xffff_ffff);
}

function nameOf(origin: Origin): string {
  switch (origin.kind) {
    case 'module':
      return origin.module;
    case 'client':
      return origin.client;
    case 'upstream':
      // Stores the default upstream with an empty name, like earlier versions of the hub, which had a single
      // upstream.
      return origin.upstream === DEFAULT_UPSTREAM ? '' : origin.upstream;
  }
}

function outputOf(origin: Origin): string {
  return origin.kind === 'module' ? origin.output : '';
}

export function encode(value: unknown): Buffer {
  return codec.encode(value);
}

/** Decodes CBOR. Undefined if the bytes are not CBOR. */
export function decode(bytes: Buffer | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = codec.decode(bytes);
    return value;
  } catch {
    return undefined;
  }
}

/** Returns a Buffer that shares the memory of `bytes`. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
