/* Bounds of a self-update of the hub. */

/** Bounds of how a hub is replaced, as `limits.ts` has all others. */

/** Bytes of a hub's binary: twice of what it takes today. */
export const MAX_HUB_BYTES = 256 << 20;

/** Bytes of the note of which hub is in use. */
export const MAX_HUB_STATE_BYTES = 1 << 16;

/**
 * A new hub on trial: its starts at most, seconds in all until it must be healthy, and seconds from asking it to end
 * to SIGKILL: modules have 10 to stop by default.
 */
export const HUB_TRIAL = { starts: 3, seconds: 120, grace: 15 } as const;

/** Milliseconds that a new hub may take to say its version: it is 110 MB, read from a slow card. */
export const HUB_VERSION_TIMEOUT_MS = 20_000;

/** Milliseconds between two looks at whether the process that watches over a hub on trial still lives. */
export const WATCHDOG_CHECK_MS = 1_000;

/** Milliseconds between two looks at whether what an earlier trial left is gone, and times that it may still hold the lock. */
export const ORPHAN_CHECK_MS = 50;
export const MAX_ORPHAN_LOCK_CHECKS = 100;
