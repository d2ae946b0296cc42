import { crc32 } from 'node:zlib';
import type { Message, Origin, QoS } from '../../core/message.ts';
import { DEFAULT_UPSTREAM, NO_PROPERTIES } from '../../core/message.ts';
import type { Chunk } from '../disk/chunk.ts';
import { isInline, recordEnd, recordStart, sequenceAt } from '../disk/chunk.ts';
import { ARRAY, createTextReader, headEnd, headValue, NULL, readTexts, textIn } from './cbor.ts';
import { CRC_BYTES, FIELDS, FORMAT_SHIFT, RETAIN, RETAINED } from './record-encode.ts';

/*
 * Decodes a message without copying its record. The library cbor-x would first create a value for each field,
 * which is too slow for the delivery of a long queue. The readers cache texts, because consecutive messages
 * of a queue mostly have the same topic and sender.
 */
const topics = createTextReader();
const names = createTextReader();
const outputs = createTextReader();
const types = createTextReader();

const UPSTREAM = 'upstream'.length;

/** Decodes the message of a record in `bytes` from `start` to `end`. Undefined if the record is damaged. */
export function decodeRecord(bytes: Buffer, start = 0, end = bytes.length): Message | undefined {
  const listAt = start + CRC_BYTES;
  if (end <= listAt || end > bytes.length) return undefined;
  if (crc32(bytes.subarray(listAt, end)) !== bytes.readUInt32BE(start)) return undefined;
  return bytes[listAt] === (ARRAY | FIELDS) ? messageFrom(bytes, listAt + 1, end) : undefined;
}

/**
 * Returns the record (encoded message) of an entry of a chunk. `body` reads a record that is stored outside
 * the chunk.
 */
export function recordAt(
  chunk: Chunk,
  index: number,
  body: (sequence: number) => Buffer | undefined,
): Buffer | undefined {
  if (chunk.whole && isInline(chunk, index))
    return chunk.value.subarray(recordStart(chunk, index), recordEnd(chunk, index));
  return body(sequenceAt(chunk, index));
}

/**
 * Returns the message of an entry of a chunk. Undefined if the bytes of the message or of the chunk are
 * damaged.
 */
export function messageAt(
  chunk: Chunk,
  index: number,
  body: (sequence: number) => Buffer | undefined,
): Message | undefined {
  if (!chunk.whole) return undefined;
  const start = recordStart(chunk, index);
  const end = recordEnd(chunk, index);
  if (end > start) return decodeRecord(chunk.value, start, end);
  const record = body(sequenceAt(chunk, index));
  return record && decodeRecord(record);
}

function messageFrom(record: Buffer, topicAt: number, recordEnd: number): Message | undefined {
  const qosAt = end(record, topicAt);
  const kindAt = qosAt + 2;
  const nameAt = end(record, kindAt);
  const outputAt = end(record, nameAt);
  const propertiesAt = end(record, outputAt);
  const properties = record[propertiesAt] === NULL ? undefined : readTexts(record, propertiesAt);
  const typeAt = properties?.end ?? propertiesAt + 1;
  const responseAt = end(record, typeAt);
  const correlationAt = end(record, responseAt);
  const secondsAt = end(record, correlationAt);
  const bodyAt = record[secondsAt] === NULL ? secondsAt + 1 : headEnd(record, secondsAt);
  const qos = record[qosAt];
  if (!isQoS(qos) || end(record, bodyAt) !== recordEnd) return undefined;
  const flags = record[qosAt + 1] ?? 0;
  const seconds = record[secondsAt] === NULL ? undefined : headValue(record, secondsAt);
  return {
    topic: topics(record, topicAt),
    qos,
    retain: (flags & RETAIN) !== 0,
    retained: (flags & RETAINED) !== 0,
    origin: originFrom(record, kindAt, nameAt, outputAt),
    properties: properties?.texts ?? NO_PROPERTIES,
    contentType: record[typeAt] === NULL ? undefined : types(record, typeAt),
    payloadFormat: formatFrom(flags >> FORMAT_SHIFT),
    responseTopic: record[responseAt] === NULL ? undefined : textIn(record, responseAt),
    correlation: record[correlationAt] === NULL ? undefined : bytesIn(record, correlationAt),
    ttl: seconds === undefined ? undefined : seconds * 1000,
    body: bytesIn(record, bodyAt),
  };
}

/** Returns the position behind a text, byte string or null. */
function end(record: Buffer, at: number): number {
  return record[at] === NULL ? at + 1 : headEnd(record, at) + headValue(record, at);
}

function bytesIn(record: Buffer, at: number): Buffer {
  const start = headEnd(record, at);
  return record.subarray(start, start + headValue(record, at));
}

let lastUpstream: Origin & { readonly kind: 'upstream' } = { kind: 'upstream', upstream: DEFAULT_UPSTREAM };
let lastModule: Origin & { readonly kind: 'module' } = { kind: 'module', module: '', output: '' };
let lastClient: Origin & { readonly kind: 'client' } = { kind: 'client', client: '' };

function originFrom(record: Buffer, kindAt: number, nameAt: number, outputAt: number): Origin {
  const name = names(record, nameAt);
  if (headValue(record, kindAt) === UPSTREAM) {
    const upstream = name || DEFAULT_UPSTREAM;
    if (upstream !== lastUpstream.upstream) lastUpstream = { kind: 'upstream', upstream };
    return lastUpstream;
  }
  // The kind is "module" if its first letter is "m" (0x6d), otherwise "client".
  if (record[headEnd(record, kindAt)] === 0x6d) {
    const output = outputs(record, outputAt);
    if (name !== lastModule.module || output !== lastModule.output)
      lastModule = { kind: 'module', module: name, output };
    return lastModule;
  }
  if (name !== lastClient.client) lastClient = { kind: 'client', client: name };
  return lastClient;
}

function formatFrom(bits: number): Message['payloadFormat'] {
  if (bits === 0) return undefined;
  return bits === 1 ? 0 : 1;
}

function isQoS(value: unknown): value is QoS {
  return value === 0 || value === 1 || value === 2;
}
