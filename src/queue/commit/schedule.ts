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

/** What has gathered for the next commit, in monotonic milliseconds; Infinity: nothing of the kind. */
export type Gathered = {
  /** Messages, and their bytes and those of settled state. */
  messages: number;
  bytes: number;
  /** Work that somebody waits for and that nothing but a commit can end: how much, since when, the newest. */
  awaited: number;
  firstAwaited: number;
  lastAwaited: number;
  /** Since when the oldest message is with all of its receivers and not acknowledged. */
  firstInFlight: number;
  /** Removals, and since when there are some that nobody waits for. */
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
 * When the next commit is due. A commit costs a block of flash at least, so one that would hardly fill it
 * waits until `window` has passed since the last began; one that fills it goes as soon as its senders have
 * nothing more to say. What is with its receivers waits longest: they may spare the write.
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

/** True if no commit should be larger. */
function isLarge({ messages, bytes, removals }: Gathered): boolean {
  return messages >= MAX_COMMIT_MESSAGES || bytes >= MAX_COMMIT_BYTES || removals >= MAX_COMMIT_REMOVALS;
}

/** Milliseconds that a message may be with its receivers before it is written after all. */
export function deliveryWait(window: number): number {
  return Math.min(MAX_DELIVERY_WAIT_MS, window * MAX_DELIVERY_WINDOWS);
}
