import { crc32 } from 'node:zlib';
import { bufferOf, decode, encode } from '../record/record-encode.ts';

/*
 * A run is the records of one commit, which are written to a journal together. A run is stored in whole
 * blocks of 4 KB. Therefore a later write never touches a block of an acknowledged run, and the reader finds
 * the next run behind a damaged run. A hold is the entry of a message in one queue.
 *
 *   magic (4)  salt of the store (8)  generation (4)  index in its generation (4)  length of the content (4)
 *   CRC-32 of all preceding fields and of the content (4)
 *   content:
 *     length of the changes (4)
 *     changes: CBOR [hub time, queues, removals, settled, retired]
 *       queues     [id, name, ...]                         queues whose records are not in LMDB
 *       removals   [queue id, priority, sequence, ...]
 *       settled    [name, value or null, ...]              metadata
 *       retired    [queue id, ...]
 *     appends, one after another:
 *       sequence (8, float)  arrived (8, float, hub ms)  length of the record (4)  number of holds (4)
 *       each hold: queue id (4)  priority (1)  expires (8, float, hub ms, Infinity if never)
 *       record
 */
export const BLOCK = 4096;
const MAGIC = 0x534b_4a33;
const HEADER_BYTES = 28;
const CRC_AT = 24;
const CHANGES_AT = HEADER_BYTES + 4;
const APPEND_BYTES = 24;
const HOLD_BYTES = 13;

export type JournalRun = {
  readonly generation: number;
  readonly index: number;
  readonly content: RunContent;
};

export type RunContent = {
  readonly hubTime: number;
  readonly queues: readonly { readonly id: number; readonly name: string }[];
  readonly appends: readonly RunAppend[];
  readonly removals: readonly {
    readonly queue: number;
    readonly priority: number;
    readonly sequence: number;
  }[];
  readonly metadata: readonly { readonly name: string; readonly value: Buffer | undefined }[];
  readonly retired: readonly number[];
};

export type RunAppend = {
  readonly sequence: number;
  readonly arrived: number;
  readonly record: Buffer;
  readonly holds: readonly { readonly queue: number; readonly priority: number; readonly expires: number }[];
};

/** Run (records of one commit) under construction. `end` is the position of the next write. */
export type RunDraft = { readonly blocks: Buffer; end: number };

/** Changes in a run besides the appended messages, in the order of the journal file. */
export type Changes = readonly [
  hubTime: number,
  queues: readonly (number | string)[],
  removals: readonly number[],
  settled: readonly (string | Buffer | null)[],
  retired: readonly number[],
];

/**
 * Creates a run with `changes` and with space for `appendBytes` bytes of messages. `space` allocates whole
 * blocks.
 */
export function draftRun(changes: Changes, appendBytes: number, space: (bytes: number) => Buffer): RunDraft {
  const encoded = encode(changes);
  const length = CHANGES_AT + encoded.length + appendBytes;
  const blocks = space(Math.ceil(length / BLOCK) * BLOCK);
  blocks.writeUInt32BE(encoded.length, HEADER_BYTES);
  encoded.copy(blocks, CHANGES_AT);
  return { blocks, end: CHANGES_AT + encoded.length };
}

/**
 * Returns the size in bytes of one appended message in a run. `holds` is the number of queues of the message.
 */
export function appendSize(recordBytes: number, holds: number): number {
  return APPEND_BYTES + holds * HOLD_BYTES + recordBytes;
}

/**
 * Writes the header of an appended message. The caller then writes the holds (entries in queues) and the
 * record of the message.
 */
export function writeAppend(
  draft: RunDraft,
  sequence: number,
  arrived: number,
  recordBytes: number,
  holds: number,
): void {
  const { blocks, end } = draft;
  blocks.writeDoubleBE(sequence, end);
  blocks.writeDoubleBE(arrived, end + 8);
  blocks.writeUInt32BE(recordBytes, end + 16);
  blocks.writeUInt32BE(holds, end + 20);
  draft.end = end + APPEND_BYTES;
}

export function writeHold(draft: RunDraft, queue: number, priority: number, expires: number): void {
  const { blocks, end } = draft;
  blocks.writeUInt32BE(queue, end);
  blocks[end + 4] = priority;
  blocks.writeDoubleBE(expires, end + 5);
  draft.end = end + HOLD_BYTES;
}

/** Completes the header of a run and returns its blocks for the disk. */
export function sealRun({ blocks, end }: RunDraft, salt: Buffer, generation: number, index: number): Buffer {
  blocks.writeUInt32BE(MAGIC, 0);
  salt.copy(blocks, 4);
  blocks.writeUInt32BE(generation, 12);
  blocks.writeUInt32BE(index, 16);
  blocks.writeUInt32BE(end - HEADER_BYTES, 20);
  blocks.fill(0, end);
  blocks.writeUInt32BE(checksumOf(blocks, end - HEADER_BYTES), CRC_AT);
  return blocks;
}

function checksumOf(blocks: Buffer, contentBytes: number): number {
  return crc32(blocks.subarray(HEADER_BYTES, HEADER_BYTES + contentBytes), crc32(blocks.subarray(0, CRC_AT)));
}

/**
 * Decodes the runs (commits) of generations after `generation` in a journal file. Skips torn and damaged
 * runs.
 */
export function decodeRuns(salt: Buffer, generation: number, file: Buffer): JournalRun[] {
  const runs: JournalRun[] = [];
  for (let at = 0; at + HEADER_BYTES <= file.length; ) {
    const run = runAt(file, at, salt);
    const content = run !== undefined && run.readUInt32BE(12) > generation ? contentOf(run) : undefined;
    if (run === undefined || content === undefined) {
      at += BLOCK;
      continue;
    }
    runs.push({ generation: run.readUInt32BE(12), index: run.readUInt32BE(16), content });
    at += Math.ceil(run.length / BLOCK) * BLOCK;
  }
  return runs;
}

/**
 * Returns the bytes of the run that begins at `at`, even if the run is damaged. Undefined if no run begins at
 * `at`.
 */
function runAt(file: Buffer, at: number, salt: Buffer): Buffer | undefined {
  if (file.readUInt32BE(at) !== MAGIC || !file.subarray(at + 4, at + 12).equals(salt)) return undefined;
  const end = at + HEADER_BYTES + file.readUInt32BE(at + 20);
  return end <= file.length ? file.subarray(at, end) : undefined;
}

/** Decodes the content of a run. Undefined if the run is damaged. */
function contentOf(run: Buffer): RunContent | undefined {
  const whole = checksumOf(run, run.length - HEADER_BYTES) === run.readUInt32BE(CRC_AT);
  return whole && run.length >= CHANGES_AT ? contentFrom(run) : undefined;
}

function contentFrom(run: Buffer): RunContent | undefined {
  const end = CHANGES_AT + run.readUInt32BE(HEADER_BYTES);
  const value = end <= run.length ? decode(run.subarray(CHANGES_AT, end)) : undefined;
  if (!Array.isArray(value)) return undefined;
  const [hubTime, queues, removals, settled, retired]: unknown[] = value;
  const appends = appendsFrom(run, end);
  if (typeof hubTime !== 'number' || appends === undefined) return undefined;
  return {
    hubTime,
    queues: grouped(queues, 2).map(([id, name]) => ({ id: Number(id), name: String(name) })),
    appends,
    removals: grouped(removals, 3).map(([queue, priority, sequence]) => ({
      queue: Number(queue),
      priority: Number(priority),
      sequence: Number(sequence),
    })),
    metadata: grouped(settled, 2).map(([name, bytes]) => ({
      name: String(name),
      value: bytes instanceof Uint8Array ? bufferOf(bytes) : undefined,
    })),
    retired: grouped(retired, 1).map(([id]) => Number(id)),
  };
}

/** Decodes the appended messages from `start` to the end of the run. Undefined if a message is malformed. */
function appendsFrom(run: Buffer, start: number): RunAppend[] | undefined {
  const appends: RunAppend[] = [];
  for (let at = start; at < run.length; ) {
    if (at + APPEND_BYTES > run.length) return undefined;
    const holdsAt = at + APPEND_BYTES;
    const recordAt = holdsAt + run.readUInt32BE(at + 20) * HOLD_BYTES;
    const end = recordAt + run.readUInt32BE(at + 16);
    if (end > run.length) return undefined;
    appends.push({
      sequence: run.readDoubleBE(at),
      arrived: run.readDoubleBE(at + 8),
      record: run.subarray(recordAt, end),
      holds: holdsFrom(run, holdsAt, recordAt),
    });
    at = end;
  }
  return appends;
}

function holdsFrom(run: Buffer, start: number, end: number): RunAppend['holds'] {
  return Array.from({ length: (end - start) / HOLD_BYTES }, (_, index) => {
    const at = start + index * HOLD_BYTES;
    return {
      queue: run.readUInt32BE(at),
      priority: run.readUInt8(at + 4),
      expires: run.readDoubleBE(at + 5),
    };
  });
}

/** Splits a flat list into groups of `size` values. */
function grouped(value: unknown, size: number): unknown[][] {
  if (!Array.isArray(value)) return [];
  const list: unknown[] = value;
  return Array.from({ length: Math.floor(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}
