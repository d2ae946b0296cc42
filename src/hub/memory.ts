import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import type { MemoryBudget } from '../core/capacity/memory-budget.ts';
import { budgetOf } from '../core/capacity/memory-budget.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import { containedExceptions, noteException } from '../core/containment.ts';
import type { Log } from '../core/log.ts';
import { nativeFunction } from '../supervisor/terminal/native-addon.ts';
import { BUFFER_SLACK_BYTES, INPUT_CHECK_BYTES, MEMORY_CHECK_MS, MEMORY_SLACK_BYTES } from './limits.ts';
import type { MemoryTotal } from './memory-total.ts';

/** Collects the garbage of the hub's buffers in time, and gives memory back that a load has left behind. */
export type MemoryKeeper = {
  /** Counts bytes that sockets have brought: their buffers are what V8 collects too late. */
  readonly countInput: (bytes: number) => void;
  readonly budget: MemoryBudget;
  readonly status: () => MemoryStatus;
  readonly stop: () => void;
};

export type MemoryStatus = {
  readonly totalBytes: number;
  /** Where the total comes from. */
  readonly source: MemoryTotal['source'];
  /** Anonymous memory, as of the last look. */
  readonly anonymousBytes: number;
  readonly budgetBytes: MemoryBudget;
  /** Exceptions that were contained since the start. */
  readonly exceptions: number;
};

export type MemoryKeeperSettings = {
  readonly total: MemoryTotal;
  readonly clock: Clock;
  readonly log: Log;
  readonly loadAllocator: () => Promise<Allocator | undefined>;
  /** Collects garbage: of the young generation, or all. Undefined if the runtime does not offer it. */
  readonly collect: ((generation: 'minor' | 'major') => void) | undefined;
};

export type Allocator = {
  /** Keeps no more than `bytes` of what is freed. */
  readonly limitFreed: (bytes: number) => void;
  /** Gives what is freed back to the system. */
  readonly trim: () => void;
};

/** Bytes from which the allocator keeps a piece by itself, and gives it back when it is freed. */
const LARGE_PIECE = 1 << 17;

/**
 * V8 counts the memory of buffers only roughly: 64 MB of them may be garbage before it collects. So after some input the
 * buffers are looked at, and garbage is collected if they have grown by BUFFER_SLACK_BYTES. Anonymous memory as a whole is looked at
 * by the clock: if it has grown, all garbage is collected and the allocator gives back what it keeps.
 */
export function startMemoryKeeper(settings: MemoryKeeperSettings): MemoryKeeper {
  const { total, clock, log, loadAllocator, collect } = settings;
  const budget = budgetOf(total.bytes);
  let allocator: Allocator | undefined;
  let loaded = false;
  let anonymous = anonymousMemory();
  let anonymousFloor = anonymous;
  let input = 0;
  let buffersFloor = buffers();

  const lookAtBuffers = (): void => {
    const now = buffers();
    buffersFloor = Math.min(buffersFloor, now);
    if (now <= buffersFloor + BUFFER_SLACK_BYTES || collect === undefined) return;
    collect('minor');
    if (buffers() > buffersFloor + BUFFER_SLACK_BYTES) collect('major');
    buffersFloor = buffers();
  };

  const look = async (): Promise<void> => {
    if (!loaded) {
      loaded = true;
      allocator = await loadAllocator();
      allocator?.limitFreed(LARGE_PIECE);
    }
    anonymous = anonymousMemory();
    anonymousFloor = Math.min(anonymousFloor, anonymous);
    if (anonymous <= anonymousFloor + MEMORY_SLACK_BYTES) return;
    collect?.('major');
    allocator?.trim();
    anonymous = anonymousMemory();
    anonymousFloor = anonymous;
  };

  let cancel: Cancel;
  const round = (): void => {
    look().catch(thrown => noteException(log, 'the look at memory', thrown));
    cancel = clock.after(MEMORY_CHECK_MS, round);
  };
  cancel = clock.after(MEMORY_CHECK_MS, round);
  return {
    countInput: bytes => {
      input += bytes;
      if (input < INPUT_CHECK_BYTES) return;
      input = 0;
      lookAtBuffers();
    },
    budget,
    status: () => ({
      totalBytes: total.bytes,
      source: total.source,
      anonymousBytes: anonymous,
      budgetBytes: budget,
      exceptions: containedExceptions(),
    }),
    stop: () => cancel(),
  };
}

/** The runtime's own collection of garbage, which the flags of the binary bring. */
export function runtimeCollector(): MemoryKeeperSettings['collect'] {
  const { gc } = globalThis;
  return gc && (type => void gc({ type, execution: 'sync' }));
}

/** Loads the functions of the allocator. Undefined if this build has none. */
export async function loadAllocator(): Promise<Allocator | undefined> {
  const limitFreed = await nativeFunction('limitFreed');
  const trim = await nativeFunction('trim');
  if (limitFreed === undefined || trim === undefined) return undefined;
  return { limitFreed: bytes => void limitFreed(bytes), trim: () => void trim() };
}

/** Bytes of buffers, garbage among them. */
function buffers(): number {
  return getHeapStatistics().external_memory;
}

/** Bytes of memory of this process that no file stands behind (RssAnon of proc(5)); 0 where the system does not tell. */
function anonymousMemory(): number {
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return Number(kilobytes ?? 0) * 1024;
}
