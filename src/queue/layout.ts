import { Encoder } from 'cbor-x';
import type { Message, Origin, Properties, QoS } from '../core/message.ts';
import { NO_PROPERTIES } from '../core/message.ts';

/*
 * What stands on disk, format 1. Numbers in keys are big-endian, so that LMDB's order is the queue's order.
 *
 *   meta      name                           -> CBOR: format, hubTime (ms), bytes
 *   queues    queue id (4)                   -> CBOR [name, retired, depth, bytes]
 *   entries   queue id (4) priority (1) sequence (8)
 *                                            -> expires (8, float, hub ms, 0 never) arrived (8) body bytes (4)
 *   bodies    sequence (8)                   -> CBOR [topic, qos, retain, kind, name, output, properties, type, body]
 *   holders   sequence (8)                   -> 4: queues that hold the body, kept only while there are several
 *   settled   name                           -> bytes of the owner's making
 */
export const FORMAT = 1;

/** Bytes that an entry is counted with beside its body: keys, values and page overhead of LMDB. */
export const ENTRY_OVERHEAD = 96;

const codec = new Encoder({ useRecords: false, tagUint8Array: false });

export type EntryValue = { readonly expires: number; readonly arrived: number; readonly bodyBytes: number };

export type QueueRecord = {
  readonly name: string;
  readonly retired: boolean;
  readonly depth: number;
  readonly bytes: number;
};

export function queueKey(id: number): Buffer {
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32BE(id);
  return key;
}

export function sequenceKey(sequence: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  writeSequence(key, sequence, 0);
  return key;
}

export function entryKey(queue: number, priority: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(13);
  key.writeUInt32BE(queue, 0);
  key[4] = priority;
  writeSequence(key, sequence, 5);
  return key;
}

export function sequenceOf(key: Buffer, offset: number): number {
  return key.readUInt32BE(offset) * 0x1_0000_0000 + key.readUInt32BE(offset + 4);
}

export function priorityOf(entry: Buffer): number {
  return entry.readUInt8(4);
}

function writeSequence(key: Buffer, sequence: number, offset: number): void {
  key.writeUInt32BE(Math.floor(sequence / 0x1_0000_0000), offset);
  key.writeUInt32BE(sequence % 0x1_0000_0000, offset + 4);
}

export function encodeEntry(value: EntryValue): Buffer {
  const bytes = Buffer.allocUnsafe(20);
  bytes.writeDoubleBE(value.expires, 0);
  bytes.writeDoubleBE(value.arrived, 8);
  bytes.writeUInt32BE(value.bodyBytes, 16);
  return bytes;
}

export function decodeEntry(bytes: Buffer): EntryValue {
  return {
    expires: bytes.readDoubleBE(0),
    arrived: bytes.readDoubleBE(8),
    bodyBytes: bytes.readUInt32BE(16),
  };
}

export function encodeNumber(value: number): Buffer {
  return codec.encode(value);
}

/** Undefined if the value is not a number: the caller decides what a damaged one means. */
export function decodeNumber(bytes: Buffer | undefined): number | undefined {
  const value: unknown = bytes === undefined ? undefined : codec.decode(bytes);
  return typeof value === 'number' ? value : undefined;
}

export function encodeQueue(record: QueueRecord): Buffer {
  return codec.encode([record.name, record.retired, record.depth, record.bytes]);
}

export function decodeQueue(bytes: Buffer): QueueRecord | undefined {
  const value: unknown = codec.decode(bytes);
  if (!Array.isArray(value)) return undefined;
  const [name, retired, depth, size]: unknown[] = value;
  if (typeof name !== 'string' || typeof retired !== 'boolean') return undefined;
  if (typeof depth !== 'number' || typeof size !== 'number') return undefined;
  return { name, retired, depth, bytes: size };
}

export function encodeMessage(message: Message): Buffer {
  const { origin } = message;
  const [name, output] = origin.kind === 'module' ? [origin.module, origin.output] : [origin.client, ''];
  const properties = message.properties === NO_PROPERTIES ? null : message.properties;
  return codec.encode([
    message.topic,
    message.qos,
    message.retain,
    origin.kind,
    name,
    output,
    properties,
    message.contentType ?? null,
    message.body,
  ]);
}

/** Undefined if the bytes are not a message: a damaged value must not stop its queue. */
export function decodeMessage(bytes: Buffer): Message | undefined {
  let value: unknown;
  try {
    value = codec.decode(bytes);
  } catch {
    return undefined;
  }
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
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    ttl: undefined,
  };
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
  if (typeof value !== 'object' || value === null) return NO_PROPERTIES;
  const properties: Record<string, string> = {};
  for (const [name, text] of Object.entries(value)) if (typeof text === 'string') properties[name] = text;
  return properties;
}
