import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { percentile } from './percentile.ts';

/** Bytes of a write: a block of most flash disks. */
const BLOCK_BYTES = 4096;

/** Maximum number of flushes, so that a fast disk is not worn by the measurement. */
const MAX_FLUSHES = 1_000;

/** Milliseconds that writes with a flush took. */
export type FlushLatency = {
  readonly flushes: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/** Measures for at most `seconds` how long a write of one block with fdatasync takes in `folder`. */
export async function flushLatency(folder: string, seconds: number): Promise<FlushLatency> {
  const block = Buffer.alloc(BLOCK_BYTES, 1);
  const file = await open(join(folder, 'flush'), 'wx', 0o600);
  const latencies: number[] = [];
  try {
    const end = performance.now() + seconds * 1000;
    for (let before = performance.now(); before < end && latencies.length < MAX_FLUSHES; ) {
      await file.write(block, 0, BLOCK_BYTES, latencies.length * BLOCK_BYTES);
      await file.datasync();
      const now = performance.now();
      latencies.push(now - before);
      before = now;
    }
  } finally {
    await file.close();
  }
  return {
    flushes: latencies.length,
    medianMs: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    maxMs: percentile(latencies, 100),
  };
}
