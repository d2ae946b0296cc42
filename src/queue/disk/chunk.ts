import { crc32 } from 'node:zlib';
import { MAX_CHUNK_BYTES } from '../limits.ts';

/*
 * A chunk contains consecutive entries of one queue and priority as one value of LMDB. A page holds a dozen
 * messages, and entries are mostly removed in the order of their arrival, so most chunks are written once and
 * deleted once. The key contains the number of entries for the case that the value is damaged.
 *
 *   key     queue id (4)  priority (1)  sequence of the last entry, or a higher one (8)  entries (2)
 *   value   CRC-32 of the headers (4)
 *           headers: sequence (8, float)  expires (8, float, hub ms, Infinity if never)
 *                    max expiry (8, float)  arrived (8, float)  bytes of disk (4)
 *                    end of the record in the value (4)
 *           records, one after another; none for an entry whose record is in `bodies`
 *
 * The max expiry is the latest expiry among an entry and the preceding entries of its priority. If an entry
 * expires at its max expiry, no preceding entry expires later, so a sweep from the head of the queue finds
 * the entry. All other entries, which exist only if lifetimes are mixed, are listed in the table `expiries`.
 */
const CRC_BYTES = 4;
const HEAD_BYTES = 40;
const RECORD_END_AT = 36;

/** Empty record. Used for an entry whose record is in the table `bodies`. */
export const NO_RECORD = Buffer.alloc(0);

/** Header of an entry, without its sequence. */
export type EntryHeader = {
  /**
   * Hub time (the hub's own clock for TTLs) in milliseconds when the entry expires. Infinity if it never
   * expires.
   */
  readonly expires: number;
  readonly maxExpiry: number;
  readonly arrived: number;
  readonly bytes: number;
};

/** Chunk under construction, with the positions of the next header and the next record. */
export type ChunkDraft = { readonly value: Buffer; readonly entries: number; headAt: number; end: number };

/** Returns the bytes of an entry in a chunk. */
export function entrySize(recordBytes: number): number {
  return HEAD_BYTES + recordBytes;
}

/** True if a chunk whose entries have `bytes` bytes has space for an entry of `more` bytes. */
export function takes(bytes: number, more: number): boolean {
  return CRC_BYTES + bytes + more <= MAX_CHUNK_BYTES;
}

/**
 * Creates an empty draft for a number of entries. `bytes` is the sum of the entry sizes. `space` allocates
 * memory.
 */
export function draftChunk(entries: number, bytes: number, space: (bytes: number) => Buffer): ChunkDraft {
  const value = space(CRC_BYTES + bytes);
  return { value, entries, headAt: CRC_BYTES, end: CRC_BYTES + entries * HEAD_BYTES };
}

/** Adds an entry to the draft. The record of the entry is in `run`, from byte `from` to byte `to`. */
export function addEntry(
  draft: ChunkDraft,
  sequence: number,
  { expires, maxExpiry, bytes }: Omit<EntryHeader, 'arrived'>,
  arrived: number,
  run: Buffer,
  from: number,
  to: number,
): void {
  const { value, headAt } = draft;
  if (to > from) run.copy(value, draft.end, from, to);
  draft.end += to - from;
  value.writeDoubleBE(sequence, headAt);
  value.writeDoubleBE(expires, headAt + 8);
  value.writeDoubleBE(maxExpiry, headAt + 16);
  value.writeDoubleBE(arrived, headAt + 24);
  value.writeUInt32BE(bytes, headAt + 32);
  value.writeUInt32BE(draft.end, headAt + RECORD_END_AT);
  draft.headAt += HEAD_BYTES;
}

function copyEntry(chunk: Chunk, index: number, draft: ChunkDraft): void {
  const headAt = CRC_BYTES + index * HEAD_BYTES;
  const start = recordStart(chunk, index);
  const end = recordEnd(chunk, index);
  chunk.value.copy(draft.value, draft.headAt, headAt, headAt + RECORD_END_AT);
  chunk.value.copy(draft.value, draft.end, start, end);
  draft.end += end - start;
  draft.value.writeUInt32BE(draft.end, draft.headAt + RECORD_END_AT);
  draft.headAt += HEAD_BYTES;
}

export function sealChunk({ value, headAt }: ChunkDraft): Buffer {
  value.writeUInt32BE(crc32(value.subarray(CRC_BYTES, headAt)), 0);
  return value;
}

/** Chunk that was read from disk. */
export type Chunk = {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Upper bound of the sequences in this chunk. Lower than all sequences of the next chunk. */
  readonly last: number;
  readonly entries: number;
  /** True if the headers are undamaged. */
  readonly whole: boolean;
};

export function chunkFrom(key: Buffer, last: number, entries: number, value: Buffer): Chunk {
  const recordsAt = CRC_BYTES + entries * HEAD_BYTES;
  const whole =
    value.length >= recordsAt &&
    crc32(value.subarray(CRC_BYTES, recordsAt)) === value.readUInt32BE(0) &&
    (entries === 0 || value.readUInt32BE(recordsAt - CRC_BYTES) <= value.length);
  return { key, value, last, entries, whole };
}

/** Returns the sequence of the entry at `index`. Returns a placeholder if the chunk is damaged. */
export function sequenceAt({ value, last, entries, whole }: Chunk, index: number): number {
  return whole ? value.readDoubleBE(CRC_BYTES + index * HEAD_BYTES) : last - entries + 1 + index;
}

/**
 * Returns the start of the record of the entry at `index` in an undamaged chunk. The start equals the end if
 * the record is in the table `bodies`.
 */
export function recordStart(chunk: Chunk, index: number): number {
  return index === 0 ? CRC_BYTES + chunk.entries * HEAD_BYTES : recordEnd(chunk, index - 1);
}

export function recordEnd({ value }: Chunk, index: number): number {
  return value.readUInt32BE(CRC_BYTES + index * HEAD_BYTES + RECORD_END_AT);
}

/**
 * True if the record of the entry at `index` is inside the chunk, not in the table `bodies`. The chunk must
 * be undamaged.
 */
export function isInline(chunk: Chunk, index: number): boolean {
  return recordEnd(chunk, index) > recordStart(chunk, index);
}

/*
 * Fields of the entry at `index` of an undamaged chunk. Each field has its own function, so that the hot path
 * allocates no object.
 */

export function expiresAt({ value }: Chunk, index: number): number {
  return value.readDoubleBE(CRC_BYTES + index * HEAD_BYTES + 8);
}

export function maxExpiryAt({ value }: Chunk, index: number): number {
  return value.readDoubleBE(CRC_BYTES + index * HEAD_BYTES + 16);
}

export function arrivedAt({ value }: Chunk, index: number): number {
  return value.readDoubleBE(CRC_BYTES + index * HEAD_BYTES + 24);
}

export function bytesAt({ value }: Chunk, index: number): number {
  return value.readUInt32BE(CRC_BYTES + index * HEAD_BYTES + 32);
}

/**
 * Returns the index of the first entry behind `sequence`, or the number of entries if no such entry exists.
 */
export function indexBehind(chunk: Chunk, sequence: number): number {
  let low = 0;
  let high = chunk.entries;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sequenceAt(chunk, middle) <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Copies an undamaged chunk without some of its entries. The sequences of the omitted entries are in the
 * sorted list `sequences`, between the indices `from` (inclusive) and `to` (exclusive). Returns the value of
 * the copy and its number of entries.
 */
export function without(
  chunk: Chunk,
  sequences: readonly number[],
  from: number,
  to: number,
  space: (bytes: number) => Buffer,
): { value: Buffer; entries: number } {
  const remaining: number[] = [];
  let bytes = 0;
  let next = from;
  for (let index = 0; index < chunk.entries; index++) {
    const sequence = sequenceAt(chunk, index);
    while (next < to && (sequences[next] ?? 0) < sequence) next++;
    if (next < to && sequences[next] === sequence) continue;
    remaining.push(index);
    bytes += entrySize(recordEnd(chunk, index) - recordStart(chunk, index));
  }
  const draft = draftChunk(remaining.length, bytes, space);
  for (const index of remaining) {
    copyEntry(chunk, index, draft);
  }
  return { value: sealChunk(draft), entries: remaining.length };
}
