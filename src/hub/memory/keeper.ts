import { getHeapStatistics } from 'node:v8';
import { repeat } from '../../core/async/repeat.ts';
import type { MemoryBudget } from '../../core/capacity/memory-budget.ts';
import { budgetOf } from '../../core/capacity/memory-budget.ts';
import type { Clock } from '../../core/clock.ts';
import { containedExceptions, noteException } from '../../core/containment.ts';
import type { Log } from '../../core/log.ts';
import { anonymousMemory } from '../../core/proc.ts';
import { nativeFunction } from '../../supervisor/terminal/native-addon.ts';
import { BUFFER_SLACK_BYTES, INPUT_CHECK_BYTES, MEMORY_CHECK_MS, MEMORY_SLACK_BYTES } from '../limits.ts';
import type { MemoryTotal } from './total.ts';

/** Keeps the memory of the process small: collects garbage early and returns freed memory to the system. */
export type MemoryKeeper = {
  /** Counts received bytes. After every INPUT_CHECK_BYTES bytes, checks the memory that buffers use. */
  readonly countInput: (bytes: number) => void;
  readonly budget: MemoryBudget;
  readonly status: () => MemoryStatus;
  readonly stop: () => void;
};

export type MemoryStatus = {
  readonly totalBytes: number;
  /** Source of the memory budget, such as `--memory`. */
  readonly source: MemoryTotal['source'];
  /** Anonymous memory of the process in bytes at the last check. */
  readonly anonymousBytes: number;
  readonly budgetBytes: MemoryBudget;
  /** Number of unexpected exceptions that the hub has caught since its start. */
  readonly exceptions: number;
};

export type MemoryKeeperSettings = {
  readonly total: MemoryTotal;
  readonly clock: Clock;
  readonly log: Log;
  readonly loadAllocator: () => Promise<Allocator | undefined>;
  /**
   * Collects garbage of the young generation (`minor`) or of the whole heap (`major`). Undefined if the
   * runtime does not offer this function.
   */
  readonly collect: ((generation: 'minor' | 'major') => void) | undefined;
};

export type Allocator = {
  /** Sets the maximum number of freed bytes that the allocator retains (M_TRIM_THRESHOLD of mallopt(3)). */
  readonly limitFreed: (bytes: number) => void;
  /** Returns freed memory to the system (malloc_trim). */
  readonly trim: () => void;
};

/**
 * Minimum bytes of a block that the allocator maps with mmap. When such a block is freed, its memory returns
 * to the system immediately.
 */
const LARGE_PIECE = 1 << 17;

/**
 * Starts the memory keeper. If the memory of buffers has grown by BUFFER_SLACK_BYTES, the keeper collects
 * garbage. V8 alone would let up to 64 MB of garbage buffers accumulate, because V8 only estimates the memory
 * of buffers. The keeper also checks the anonymous memory of the process every MEMORY_CHECK_MS. If the
 * anonymous memory has grown by MEMORY_SLACK_BYTES, the keeper collects the garbage of the whole heap and
 * trims the allocator.
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

  const cancel = repeat(clock, MEMORY_CHECK_MS, () => {
    look().catch(thrown => noteException(log, 'the memory check', thrown));
  });
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
    stop: cancel,
  };
}

/**
 * Returns the garbage collection function of the runtime. Undefined if the runtime does not run with
 * `--expose-gc`. The hub's binary sets this option.
 */
export function runtimeCollector(): MemoryKeeperSettings['collect'] {
  const { gc } = globalThis;
  return gc && (type => void gc({ type, execution: 'sync' }));
}

/** Loads the native functions of the allocator. Undefined if this build does not contain these functions. */
export async function loadAllocator(): Promise<Allocator | undefined> {
  const limitFreed = await nativeFunction('limitFreed');
  const trim = await nativeFunction('trim');
  if (limitFreed === undefined || trim === undefined) return undefined;
  return { limitFreed: bytes => void limitFreed(bytes), trim: () => void trim() };
}

/** Returns the size of all buffers in bytes, including buffers that are garbage. */
function buffers(): number {
  return getHeapStatistics().external_memory;
}
