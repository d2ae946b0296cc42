import { crc32 } from 'node:zlib';
import { Encoder } from 'cbor-x';
import type { Message, Origin, Properties, QoS } from '../../core/message.ts';
import { NO_PROPERTIES } from '../../core/message.ts';

/*
 * A message as it is stored, in the journal, in LMDB and among the dead letters:
 *
 *   CRC-32 of the rest (4, big-endian)
 *   CBOR [topic, qos, retain, kind, name, output, properties, content type, body]
 *
 * LMDB has no checksums, and flash forgets: without one a damaged body would be delivered as if it were whole.
 */
const CRC_BYTES = 4;

/** What surrounds the fields of a record, and a property in it. */
const FRAME_BYTES = 24;
const PROPERTY_BYTES = 4;

const codec = new Encoder({ useRecords: false, tagUint8Array: false });

export function encodeRecord(message: Message): Buffer {
  const { origin } = message;
  const [name, output] = origin.kind === 'module' ? [origin.module, origin.output] : [origin.client, ''];
  const properties = message.properties === NO_PROPERTIES ? null : message.properties;
  const content = codec.encode([
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
  const record = Buffer.allocUnsafe(CRC_BYTES + content.length);
  record.writeUInt32BE(crc32(content), 0);
  content.copy(record, CRC_BYTES);
  return record;
}

/** Bytes that the record of a message takes, near enough, without making it. */
export function recordSize({ topic, body, origin, properties, contentType }: Message): number {
  let size = FRAME_BYTES + Buffer.byteLength(topic) + body.length + Buffer.byteLength(contentType ?? '');
  size +=
    origin.kind === 'module' ? origin.module.length + origin.output.length : Buffer.byteLength(origin.client);
  if (properties === NO_PROPERTIES) return size;
  for (const [name, text] of Object.entries(properties)) {
    size += PROPERTY_BYTES + Buffer.byteLength(name) + Buffer.byteLength(text);
  }
  return size;
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
  if (typeof value !== 'object' || value === null) return NO_PROPERTIES;
  const properties: Record<string, string> = {};
  for (const [name, text] of Object.entries(value)) if (typeof text === 'string') properties[name] = text;
  return properties;
}
