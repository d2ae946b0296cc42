import { crc32 } from 'node:zlib';
import { INLINE_BYTES } from '../../core/limits.ts';
import { bufferOf, decode, encode } from './record.ts';

/*
 * What stands in LMDB, format 2. Numbers in keys are big-endian, so that LMDB's order is the queue's order.
 * The store's own state shares LMDB's root table with the names of the others: a page less for each commit.
 *
 *   (root)    #format                       -> CBOR number
 *             #store                        -> CBOR [hub time (ms), last sequence, journal's generation, salt (8)]
 *             #queue: queue id (4)          -> CBOR [name, retired, depth, bytes]
 *   entries   queue id (4) priority (1) sequence (8)
 *                                           -> expires (8, float, hub ms, Infinity never) ceiling (8, float)
 *                                              arrived (8, float) bytes of disk (4)
 *                                              CRC-32 of these (4) [record]
 *   bodies    sequence (8)                  -> record, of what several queues hold and of what is large
 *   holders   sequence (8)                  -> 4: queues that hold the body, kept only while there are several
 *   expiries  expires (8) entry key (13)    -> empty: the entries that expire before one that is ahead of them
 *   settled   name                          -> bytes of the owner's making
 *
 * `ceiling` is the latest expiry among an entry and those that came before it at its priority. An entry that
 * expires at its ceiling has nothing ahead of it that lives longer, so looking at the head of a queue finds
 * it; only the others, where lifetimes are mixed, need a place in `expiries`.
 */
export const FORMAT = 2;

export const FORMAT_KEY = Buffer.from('#format');
export const STORE_KEY = Buffer.from('#store');
const QUEUE_PREFIX = Buffer.from('#queue:');

/** The range that the records of queues lie in. */
export const QUEUES = { start: QUEUE_PREFIX, end: Buffer.from('#queue;') };

const ENTRY_KEY_BYTES = 13;
const ENTRY_CRC_AT = 28;
const ENTRY_HEADER_BYTES = 32;
const PAGE = 4096;

/** Bytes that LMDB spends on an entry of its own: node, pointer, key and header. */
export const ENTRY_OVERHEAD = 10 + ENTRY_KEY_BYTES + ENTRY_HEADER_BYTES;

/** The same for a body, and the size from which it has pages to itself (half a page, less the page's header). */
const BODY_OVERHEAD = 18;
const OWN_PAGES_FROM = PAGE / 2 - 32;

/** Bytes of disk that a queue's entry takes with its record, which lies in a body if several queues hold it. */
export function entryBytes(recordBytes: number, holders: number): number {
  if (holders === 1 && recordBytes <= INLINE_BYTES) return ENTRY_OVERHEAD + recordBytes;
  const body = recordBytes < OWN_PAGES_FROM ? recordBytes : Math.ceil((recordBytes + 16) / PAGE) * PAGE;
  return ENTRY_OVERHEAD + BODY_OVERHEAD + body;
}

/** Bytes of disk that a message takes in all the queues that hold it. */
export function messageBytes(recordBytes: number, holders: number): number {
  return entryBytes(recordBytes, holders) + (holders - 1) * (ENTRY_OVERHEAD + BODY_OVERHEAD);
}

export type EntryHeader = {
  /** Hub time in milliseconds; Infinity: never. */
  readonly expires: number;
  readonly ceiling: number;
  readonly arrived: number;
  readonly bytes: number;
};

/** `record` is undefined if it lies in `bodies`. */
export type DecodedEntry = EntryHeader & { readonly record: Buffer | undefined };

export type QueueRecord = {
  readonly name: string;
  readonly retired: boolean;
  readonly depth: number;
  readonly bytes: number;
};

export type StoreRecord = {
  readonly hubTime: number;
  readonly lastSequence: number;
  /** Journals up to this one are in LMDB. */
  readonly generation: number;
  /** Random, made with the store: only its own journals bear it. */
  readonly salt: Buffer;
};

export function queueKey(id: number): Buffer {
  const key = Buffer.allocUnsafe(QUEUE_PREFIX.length + 4);
  QUEUE_PREFIX.copy(key);
  key.writeUInt32BE(id, QUEUE_PREFIX.length);
  return key;
}

export function queueIdOf(key: Buffer): number {
  return key.readUInt32BE(QUEUE_PREFIX.length);
}

export function sequenceKey(sequence: number): Buffer {
  const key = Buffer.allocUnsafe(8);
  writeSequence(key, sequence, 0);
  return key;
}

export function entryKey(queue: number, priority: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(ENTRY_KEY_BYTES);
  key.writeUInt32BE(queue, 0);
  key[4] = priority;
  writeSequence(key, sequence, 5);
  return key;
}

/** Where an entry stands, from its key at `offset`. */
export function placeOf(key: Buffer, offset: number): { queue: number; priority: number; sequence: number } {
  return {
    queue: key.readUInt32BE(offset),
    priority: key.readUInt8(offset + 4),
    sequence: key.readUInt32BE(offset + 5) * 0x1_0000_0000 + key.readUInt32BE(offset + 9),
  };
}

function writeSequence(key: Buffer, sequence: number, offset: number): void {
  key.writeUInt32BE(Math.floor(sequence / 0x1_0000_0000), offset);
  key.writeUInt32BE(sequence % 0x1_0000_0000, offset + 4);
}

/** Positive floats sort by their bytes. */
export function expiryKey(expires: number, queue: number, priority: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(8 + ENTRY_KEY_BYTES);
  key.writeDoubleBE(expires, 0);
  entryKey(queue, priority, sequence).copy(key, 8);
  return key;
}

export function encodeEntry(header: EntryHeader, record: Buffer | undefined): Buffer {
  const value = Buffer.allocUnsafe(ENTRY_HEADER_BYTES + (record?.length ?? 0));
  value.writeDoubleBE(header.expires, 0);
  value.writeDoubleBE(header.ceiling, 8);
  value.writeDoubleBE(header.arrived, 16);
  value.writeUInt32BE(header.bytes, 24);
  value.writeUInt32BE(crc32(value.subarray(0, ENTRY_CRC_AT)), ENTRY_CRC_AT);
  record?.copy(value, ENTRY_HEADER_BYTES);
  return value;
}

/** Undefined if the header is damaged. */
export function decodeEntry(value: Buffer): DecodedEntry | undefined {
  if (value.length < ENTRY_HEADER_BYTES) return undefined;
  if (crc32(value.subarray(0, ENTRY_CRC_AT)) !== value.readUInt32BE(ENTRY_CRC_AT)) return undefined;
  return {
    expires: value.readDoubleBE(0),
    ceiling: value.readDoubleBE(8),
    arrived: value.readDoubleBE(16),
    bytes: value.readUInt32BE(24),
    record: value.length > ENTRY_HEADER_BYTES ? value.subarray(ENTRY_HEADER_BYTES) : undefined,
  };
}

export function encodeCount(count: number): Buffer {
  const value = Buffer.allocUnsafe(4);
  value.writeUInt32BE(count);
  return value;
}

export function encodeQueue({ name, retired, depth, bytes }: QueueRecord): Buffer {
  return encode([name, retired, depth, bytes]);
}

export function decodeQueue(value: Buffer): QueueRecord | undefined {
  const list = decode(value);
  if (!Array.isArray(list)) return undefined;
  const [name, retired, depth, bytes]: unknown[] = list;
  if (typeof name !== 'string' || typeof retired !== 'boolean') return undefined;
  if (typeof depth !== 'number' || typeof bytes !== 'number') return undefined;
  return { name, retired, depth, bytes };
}

export function encodeStore({ hubTime, lastSequence, generation, salt }: StoreRecord): Buffer {
  return encode([hubTime, lastSequence, generation, salt]);
}

/** Undefined if it is damaged. */
export function decodeStore(value: Buffer | undefined): StoreRecord | undefined {
  const list = decode(value);
  if (!Array.isArray(list)) return undefined;
  const [hubTime, lastSequence, generation, salt]: unknown[] = list;
  if (typeof hubTime !== 'number' || typeof lastSequence !== 'number') return undefined;
  if (typeof generation !== 'number' || !(salt instanceof Uint8Array)) return undefined;
  return { hubTime, lastSequence, generation, salt: bufferOf(salt) };
}
