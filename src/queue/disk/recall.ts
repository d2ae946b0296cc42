import { crc32 } from 'node:zlib';
import type { Message, Origin, QoS } from '../../core/message.ts';
import { NO_PROPERTIES } from '../../core/message.ts';
import { ARRAY, createTextReader, headEnd, headValue, NULL, readTexts, textIn } from './cbor.ts';
import { CRC_BYTES, FIELDS, FORMAT_SHIFT, RETAIN, RETAINED } from './record.ts';

/*
 * A message from its record, read in place: the library makes a value of each field first, and a queue that is drained
 * has no time for that. Most messages of a queue have the topic and the sender of the one before.
 */
const topics = createTextReader();
const names = createTextReader();
const outputs = createTextReader();
const types = createTextReader();

const UPSTREAM = 'upstream'.length;

/** Undefined if the bytes are not those of a message: a damaged one must not stop its queue. */
export function decodeRecord(record: Buffer | undefined): Message | undefined {
  if (record === undefined || record.length <= CRC_BYTES) return undefined;
  if (crc32(record.subarray(CRC_BYTES)) !== record.readUInt32BE(0)) return undefined;
  return record[CRC_BYTES] === (ARRAY | FIELDS) ? messageFrom(record) : undefined;
}

function messageFrom(record: Buffer): Message | undefined {
  const topicAt = CRC_BYTES + 1;
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
  if (!isQoS(qos) || end(record, bodyAt) !== record.length) return undefined;
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

/** Where a text, bytes or null end. */
function end(record: Buffer, at: number): number {
  return record[at] === NULL ? at + 1 : headEnd(record, at) + headValue(record, at);
}

function bytesIn(record: Buffer, at: number): Buffer {
  const start = headEnd(record, at);
  return record.subarray(start, start + headValue(record, at));
}

function originFrom(record: Buffer, kindAt: number, nameAt: number, outputAt: number): Origin {
  if (headValue(record, kindAt) === UPSTREAM) return { kind: 'upstream' };
  const name = names(record, nameAt);
  // The other two kinds are words of the same length, and begin with another letter.
  if (record[headEnd(record, kindAt)] === 0x6d)
    return { kind: 'module', module: name, output: outputs(record, outputAt) };
  return { kind: 'client', client: name };
}

function formatFrom(bits: number): Message['payloadFormat'] {
  if (bits === 0) return undefined;
  return bits === 1 ? 0 : 1;
}

function isQoS(value: unknown): value is QoS {
  return value === 0 || value === 1 || value === 2;
}
