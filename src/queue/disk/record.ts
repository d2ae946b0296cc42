import { crc32 } from 'node:zlib';
import { Encoder } from 'cbor-x';
import type { Message, Origin, Properties, QoS } from '../../core/message.ts';
import { NO_PROPERTIES } from '../../core/message.ts';
import {
  ARRAY,
  BYTES,
  FALSE,
  headSize,
  NULL,
  pairsSize,
  TRUE,
  textSize,
  writeHead,
  writePairs,
  writeText,
} from './cbor.ts';

/*
 * A message as it is stored, in the journal, in LMDB and among the dead letters:
 *
 *   CRC-32 of the rest (4, big-endian)
 *   CBOR [topic, qos, retain, kind, name, output, [property, text, ...] or null, content type, body]
 *
 * LMDB has no checksums, and flash forgets: without one a damaged body would be delivered as if it were whole.
 */
const CRC_BYTES = 4;
const FIELDS = 9;

/** The heads of the list, of QoS and of retain. */
const FIXED_BYTES = 3;

const codec = new Encoder({ useRecords: false, tagUint8Array: false });

export function encodeRecord(message: Message): Buffer {
  const record = Buffer.allocUnsafe(recordSize(message));
  writeRecord(record, 0, message);
  return record;
}

/** Bytes that the record of a message takes. */
export function recordSize({ topic, body, origin, properties, contentType }: Message): number {
  return (
    CRC_BYTES +
    FIXED_BYTES +
    textSize(topic) +
    textSize(origin.kind) +
    textSize(nameOf(origin)) +
    textSize(outputOf(origin)) +
    (properties === NO_PROPERTIES ? 1 : pairsSize(properties)) +
    (contentType === undefined ? 1 : textSize(contentType)) +
    headSize(body.length) +
    body.length
  );
}

/** Writes the record of a message into `target` at `at`; it takes recordSize(message) bytes. */
export function writeRecord(target: Buffer, at: number, message: Message): void {
  const { topic, qos, retain, origin, properties, contentType, body } = message;
  const start = at + CRC_BYTES;
  let end = writeHead(target, start, ARRAY, FIELDS);
  end = writeText(target, end, topic);
  target[end++] = qos;
  target[end++] = retain ? TRUE : FALSE;
  end = writeText(target, end, origin.kind);
  end = writeText(target, end, nameOf(origin));
  end = writeText(target, end, outputOf(origin));
  if (properties === NO_PROPERTIES) target[end++] = NULL;
  else end = writePairs(target, end, properties);
  if (contentType === undefined) target[end++] = NULL;
  else end = writeText(target, end, contentType);
  end = writeHead(target, end, BYTES, body.length);
  target.set(body, end);
  target.writeUInt32BE(crc32(target.subarray(start, end + body.length)), at);
}

function nameOf(origin: Origin): string {
  return origin.kind === 'module' ? origin.module : origin.client;
}

function outputOf(origin: Origin): string {
  return origin.kind === 'module' ? origin.output : '';
}

/** Undefined if the bytes are not those of a message: a damaged one must not stop its queue. */
export function decodeRecord(record: Buffer | undefined): Message | undefined {
  if (record === undefined || record.length <= CRC_BYTES) return undefined;
  const content = record.subarray(CRC_BYTES);
  if (crc32(content) !== record.readUInt32BE(0)) return undefined;
  return messageFrom(decode(content));
}

export function encode(value: unknown): Buffer {
  return codec.encode(value);
}

/** Undefined if the bytes are not CBOR. */
export function decode(bytes: Buffer | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = codec.decode(bytes);
    return value;
  } catch {
    return undefined;
  }
}

function messageFrom(value: unknown): Message | undefined {
  if (!Array.isArray(value)) return undefined;
  const [topic, qos, retain, kind, name, output, properties, contentType, body]: unknown[] = value;
  const origin = originFrom(kind, name, output);
  if (typeof topic !== 'string' || typeof retain !== 'boolean') return undefined;
  if (!isQoS(qos) || origin === undefined || !(body instanceof Uint8Array)) return undefined;
  return {
    topic,
    qos,
    retain,
    origin,
    properties: propertiesFrom(properties),
    contentType: typeof contentType === 'string' ? contentType : undefined,
    body: bufferOf(body),
    ttl: undefined,
  };
}

/** The same bytes as a Buffer. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isQoS(value: unknown): value is QoS {
  return value === 0 || value === 1 || value === 2;
}

function originFrom(kind: unknown, name: unknown, output: unknown): Origin | undefined {
  if (typeof name !== 'string' || typeof output !== 'string') return undefined;
  if (kind === 'module') return { kind, module: name, output };
  return kind === 'client' ? { kind, client: name } : undefined;
}

function propertiesFrom(value: unknown): Properties {
  if (!Array.isArray(value)) return NO_PROPERTIES;
  const texts = value.filter(text => typeof text === 'string');
  const pairs = Array.from({ length: texts.length >> 1 }, (_, index) => [
    texts[2 * index],
    texts[2 * index + 1],
  ]);
  return Object.fromEntries(pairs);
}
