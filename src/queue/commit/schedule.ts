import {
  BLOCK_MESSAGES,
  COMMIT_LULL_MS,
  COMMIT_NOW_MESSAGES,
  MAX_COMMIT_BYTES,
  MAX_COMMIT_MESSAGES,
  MAX_COMMIT_REMOVALS,
  MAX_DELIVERY_WAIT_MS,
  MAX_DELIVERY_WINDOWS,
  REMOVAL_WINDOW_MS,
} from '../limits.ts';

/**
 * Data gathered for the next commit. Times are milliseconds of the monotonic clock. The time of missing data
 * is infinite.
 */
export type Gathered = {
  messages: number;
  /** Bytes of messages and metadata. */
  bytes: number;
  /** Number of writes whose senders wait for the commit. */
  awaited: number;
  /** Time of the first write whose sender waits for the commit. */
  firstAwaited: number;
  /** Time of the last write whose sender waits for the commit. */
  lastAwaited: number;
  /** Arrival time of the oldest message that was sent to all of its receivers and is not acknowledged. */
  firstInFlight: number;
  removals: number;
  /** Time of the first gathered removal for whose commit no caller waits. */
  firstRemoval: number;
};

export function nothingGathered(): Gathered {
  return {
    messages: 0,
    bytes: 0,
    awaited: 0,
    firstAwaited: Number.POSITIVE_INFINITY,
    lastAwaited: Number.NEGATIVE_INFINITY,
    firstInFlight: Number.POSITIVE_INFINITY,
    removals: 0,
    firstRemoval: Number.POSITIVE_INFINITY,
  };
}

/**
 * Returns the time when the next commit is due. A commit that does not fill a block of flash waits until
 * `window` milliseconds have passed since the last commit. A commit that fills blocks begins when the senders
 * pause. Messages in flight wait longest, because an acknowledgement makes their write unnecessary.
 */
export function dueAt(gathered: Gathered, window: number, lastCommit: number): number {
  if (isLarge(gathered)) return 0;
  return Math.min(
    awaitedAt(gathered, window, lastCommit),
    gathered.firstInFlight + deliveryWait(window),
    gathered.firstRemoval + REMOVAL_WINDOW_MS,
  );
}

function awaitedAt(
  { awaited, firstAwaited, lastAwaited }: Gathered,
  window: number,
  lastCommit: number,
): number {
  if (awaited === 0) return Number.POSITIVE_INFINITY;
  if (awaited >= COMMIT_NOW_MESSAGES) return 0;
  const lull = lastAwaited + Math.min(COMMIT_LULL_MS, window);
  if (awaited >= BLOCK_MESSAGES) return Math.min(lull, firstAwaited + window);
  return Math.max(lull, lastCommit + window);
}

/** True if the gathered data has reached the maximum size of a commit. */
function isLarge({ messages, bytes, removals }: Gathered): boolean {
  return messages >= MAX_COMMIT_MESSAGES || bytes >= MAX_COMMIT_BYTES || removals >= MAX_COMMIT_REMOVALS;
}

/** Returns the maximum milliseconds that a message can be in flight before it is written. */
export function deliveryWait(window: number): number {
  return Math.min(MAX_DELIVERY_WAIT_MS, window * MAX_DELIVERY_WINDOWS);
}
