import { MAX_INLINE_BYTES } from '../limits.ts';
import { bufferOf, decode, encode } from '../record/record-encode.ts';
import { entrySize } from './chunk.ts';

/*
 * Layout of the LMDB tables, format 3. Numbers in keys are big-endian, so that the order of LMDB's keys is
 * the order of the queue. The records of the store and of its queues are in LMDB's root table beside the
 * names of the other tables, which saves one page for each commit.
 *
 *   (root)    #format                       -> CBOR number
 *             #store                        -> CBOR [hub time (ms), last sequence, journal's generation, salt (8)]
 *             #queue: queue id (4)          -> CBOR [name, retired, depth, bytes]
 *   entries   queue id (4) priority (1) sequence (8) entries (2)
 *                                           -> chunk of entries (chunk.ts)
 *   bodies    sequence (8)                  -> record that is large or that several queues use
 *   holders   sequence (8)                  -> number of queues that use the body, if more than one (4)
 *   expiries  expires (8) queue id (4) priority (1) sequence (8)
 *                                           -> empty: entry that expires before a preceding entry
 *   settled   name (UTF-8)                  -> metadata value
 */
export const FORMAT = 3;

export const FORMAT_KEY = Buffer.from('#format');
export const STORE_KEY = Buffer.from('#store');
const QUEUE_PREFIX = Buffer.from('#queue:');

/** Key range of the records of queues. */
export const QUEUES = { start: QUEUE_PREFIX, end: Buffer.from('#queue;') };

const PLACE_BYTES = 13;
const CHUNK_KEY_BYTES = PLACE_BYTES + 2;
const PAGE = 4096;

/** Bytes of an entry without its record: its header, and a part of the fixed bytes of its chunk. */
export const ENTRY_OVERHEAD = entrySize(0) + 8;

/** Bytes of a value in the table `bodies` besides the record. */
const BODY_OVERHEAD = 18;

/** Minimum bytes of a body that LMDB stores on pages of its own: half a page less the page header. */
const OWN_PAGES_FROM = PAGE / 2 - 32;

/**
 * Returns the bytes of disk of an entry and its record. A large record, or a record that several queues use,
 * is in the table `bodies`.
 */
export function entryBytes(recordBytes: number, holders: number): number {
  if (holders === 1 && recordBytes <= MAX_INLINE_BYTES) return ENTRY_OVERHEAD + recordBytes;
  const body = recordBytes < OWN_PAGES_FROM ? recordBytes : Math.ceil((recordBytes + 16) / PAGE) * PAGE;
  return ENTRY_OVERHEAD + BODY_OVERHEAD + body;
}

/** Returns the bytes of disk of a message in all of its queues together. */
export function messageBytes(recordBytes: number, holders: number): number {
  return entryBytes(recordBytes, holders) + (holders - 1) * (ENTRY_OVERHEAD + BODY_OVERHEAD);
}

export type QueueRecord = {
  readonly name: string;
  readonly retired: boolean;
  readonly depth: number;
  readonly bytes: number;
};

export type StoreRecord = {
  readonly hubTime: number;
  readonly lastSequence: number;
  /** Last generation of the journal that is completely in LMDB. */
  readonly generation: number;
  /** Random bytes of a new store. Identifies the journal files of this store. */
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
  key.writeUInt32BE(Math.floor(sequence / 0x1_0000_0000), 0);
  key.writeUInt32BE(sequence % 0x1_0000_0000, 4);
  return key;
}

/**
 * Returns a key for the start of a key range. The key sorts directly before the chunk that contains the
 * entry, and after all earlier chunks.
 */
export function placeKey(queue: number, priority: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(PLACE_BYTES);
  writePlace(key, 0, queue, priority, sequence);
  return key;
}

export function chunkKey(queue: number, priority: number, last: number, entries: number): Buffer {
  const key = Buffer.allocUnsafe(CHUNK_KEY_BYTES);
  writePlace(key, 0, queue, priority, last);
  key.writeUInt16BE(entries, PLACE_BYTES);
  return key;
}

export function entriesOf(chunkKey: Buffer): number {
  return chunkKey.readUInt16BE(PLACE_BYTES);
}

function writePlace(key: Buffer, at: number, queue: number, priority: number, sequence: number): void {
  key.writeUInt32BE(queue, at);
  key[at + 4] = priority;
  key.writeUInt32BE(Math.floor(sequence / 0x1_0000_0000), at + 5);
  key.writeUInt32BE(sequence % 0x1_0000_0000, at + 9);
}

/** Reads queue, priority and sequence from a key at `offset`. */
export function placeOf(key: Buffer, offset: number): { queue: number; priority: number; sequence: number } {
  return {
    queue: key.readUInt32BE(offset),
    priority: key.readUInt8(offset + 4),
    sequence: key.readUInt32BE(offset + 5) * 0x1_0000_0000 + key.readUInt32BE(offset + 9),
  };
}

/**
 * Returns the key of an entry in the table `expiries`. The byte order of positive floats is their numeric
 * order.
 */
export function expiryKey(expires: number, queue: number, priority: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(8 + PLACE_BYTES);
  key.writeDoubleBE(expires, 0);
  writePlace(key, 8, queue, priority, sequence);
  return key;
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

/** Decodes the record of the store. Undefined if the record is damaged. */
export function decodeStore(value: Buffer | undefined): StoreRecord | undefined {
  const list = decode(value);
  if (!Array.isArray(list)) return undefined;
  const [hubTime, lastSequence, generation, salt]: unknown[] = list;
  if (typeof hubTime !== 'number' || typeof lastSequence !== 'number') return undefined;
  if (typeof generation !== 'number' || !(salt instanceof Uint8Array)) return undefined;
  return { hubTime, lastSequence, generation, salt: bufferOf(salt) };
}
