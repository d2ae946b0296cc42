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

/** Work gathered for the next commit, in monotonic milliseconds. Infinity for a kind without work. */
export type Gathered = {
  /** Number of messages, and bytes of messages and metadata. */
  messages: number;
  bytes: number;
  /** Work that a sender waits for and only a commit completes: count, time of the first and of the last. */
  awaited: number;
  firstAwaited: number;
  lastAwaited: number;
  /** Time since which the oldest message is in flight to all receivers and not acknowledged. */
  firstInFlight: number;
  /** Number of removals, and the time of the first that no callback waits for. */
  removals: number;
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
 * Time when the next commit is due. A commit costs at least one block of flash. A commit that hardly fills it
 * waits until `window` has passed since the last one; a commit that fills it begins as soon as its senders
 * pause. Messages in flight wait longest, because an acknowledgement spares the write.
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

/** True if the commit has reached its maximum size. */
function isLarge({ messages, bytes, removals }: Gathered): boolean {
  return messages >= MAX_COMMIT_MESSAGES || bytes >= MAX_COMMIT_BYTES || removals >= MAX_COMMIT_REMOVALS;
}

/** Milliseconds that a message may be in flight before it is written anyway. */
export function deliveryWait(window: number): number {
  return Math.min(MAX_DELIVERY_WAIT_MS, window * MAX_DELIVERY_WINDOWS);
}
