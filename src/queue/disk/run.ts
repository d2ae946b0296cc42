import { crc32 } from 'node:zlib';
import { bufferOf, decode } from './record.ts';

/*
 * A run is one commit in a journal: whole blocks of 4 KB, so that no later write touches a block that holds
 * what was acknowledged, and so that the next run is found behind a damaged one.
 *
 *   magic (4)  salt of the store (8)  generation (4)  index in its generation (4)  length (4)
 *   CRC-32 of all these and of the content (4)
 *   content: CBOR [hub time, queues, appends, removals, settled, retired]
 *     queues     [id, name, ...]                         those that LMDB does not know yet
 *     appends    [[sequence, arrived, record, [queue id, priority, expires, ...]], ...]
 *     removals   [queue id, priority, sequence, ...]
 *     settled    [name, value or null, ...]
 *     retired    [queue id, ...]
 */
export const BLOCK = 4096;
const MAGIC = 0x534b_4a32;
const HEADER_BYTES = 28;
const CRC_AT = 24;

export type Run = { readonly generation: number; readonly index: number; readonly content: RunContent };

export type RunContent = {
  readonly hubTime: number;
  readonly queues: readonly { readonly id: number; readonly name: string }[];
  readonly appends: readonly RunAppend[];
  readonly removals: readonly {
    readonly queue: number;
    readonly priority: number;
    readonly sequence: number;
  }[];
  readonly settled: readonly { readonly name: string; readonly value: Buffer | undefined }[];
  readonly retired: readonly number[];
};

export type RunAppend = {
  readonly sequence: number;
  readonly arrived: number;
  readonly record: Buffer;
  readonly holds: readonly { readonly queue: number; readonly priority: number; readonly expires: number }[];
};

/** The blocks of a run. */
export function encodeRun(salt: Buffer, generation: number, index: number, content: Buffer): Buffer {
  const length = HEADER_BYTES + content.length;
  const blocks = Buffer.allocUnsafe(Math.ceil(length / BLOCK) * BLOCK);
  blocks.writeUInt32BE(MAGIC, 0);
  salt.copy(blocks, 4);
  blocks.writeUInt32BE(generation, 12);
  blocks.writeUInt32BE(index, 16);
  blocks.writeUInt32BE(content.length, 20);
  content.copy(blocks, HEADER_BYTES);
  blocks.fill(0, length);
  blocks.writeUInt32BE(checksumOf(blocks, content.length), CRC_AT);
  return blocks;
}

function checksumOf(blocks: Buffer, contentBytes: number): number {
  return crc32(blocks.subarray(HEADER_BYTES, HEADER_BYTES + contentBytes), crc32(blocks.subarray(0, CRC_AT)));
}

/** The whole runs that a journal's file holds, of whatever generation; what is torn or damaged is left out. */
export function decodeRuns(salt: Buffer, file: Buffer): Run[] {
  const runs: Run[] = [];
  for (let at = 0; at + HEADER_BYTES <= file.length; ) {
    const length = lengthAt(file, at, salt);
    if (length === undefined) {
      at += BLOCK;
      continue;
    }
    const blocks = file.subarray(at, at + HEADER_BYTES + length);
    const whole = checksumOf(blocks, length) === blocks.readUInt32BE(CRC_AT);
    const content = whole ? contentFrom(decode(blocks.subarray(HEADER_BYTES))) : undefined;
    if (content !== undefined) {
      runs.push({ generation: blocks.readUInt32BE(12), index: blocks.readUInt32BE(16), content });
    }
    at += content === undefined ? BLOCK : Math.ceil((HEADER_BYTES + length) / BLOCK) * BLOCK;
  }
  return runs;
}

/** Bytes of content of the run that begins at `at`; undefined: none begins there. */
function lengthAt(file: Buffer, at: number, salt: Buffer): number | undefined {
  if (file.readUInt32BE(at) !== MAGIC || !file.subarray(at + 4, at + 12).equals(salt)) return undefined;
  const length = file.readUInt32BE(at + 20);
  return at + HEADER_BYTES + length <= file.length ? length : undefined;
}

function contentFrom(value: unknown): RunContent | undefined {
  if (!Array.isArray(value)) return undefined;
  const [hubTime, queues, appends, removals, settled, retired]: unknown[] = value;
  if (typeof hubTime !== 'number') return undefined;
  return {
    hubTime,
    queues: grouped(queues, 2).map(([id, name]) => ({ id: Number(id), name: String(name) })),
    appends: grouped(appends, 1).flatMap(([append]) => appendFrom(append)),
    removals: grouped(removals, 3).map(([queue, priority, sequence]) => ({
      queue: Number(queue),
      priority: Number(priority),
      sequence: Number(sequence),
    })),
    settled: grouped(settled, 2).map(([name, bytes]) => ({
      name: String(name),
      value: bytes instanceof Uint8Array ? bufferOf(bytes) : undefined,
    })),
    retired: grouped(retired, 1).map(([id]) => Number(id)),
  };
}

function appendFrom(value: unknown): RunAppend[] {
  if (!Array.isArray(value)) return [];
  const [sequence, arrived, record, holds]: unknown[] = value;
  if (typeof sequence !== 'number' || typeof arrived !== 'number' || !(record instanceof Uint8Array))
    return [];
  const places = grouped(holds, 3).map(([queue, priority, expires]) => ({
    queue: Number(queue),
    priority: Number(priority),
    expires: Number(expires),
  }));
  return [{ sequence, arrived, record: bufferOf(record), holds: places }];
}

/** A flat list in groups of `size`. */
function grouped(value: unknown, size: number): unknown[][] {
  if (!Array.isArray(value)) return [];
  const list: unknown[] = value;
  return Array.from({ length: Math.floor(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );
}
