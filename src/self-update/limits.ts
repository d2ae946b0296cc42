/* Bounds of self-updates of the hub. */

/** Bytes of a hub binary: twice its size today. */
export const MAX_HUB_BYTES = 256 << 20;

/** Bytes of the state file of self-updates. */
export const MAX_HUB_STATE_BYTES = 1 << 16;

/**
 * Trial of a new hub: most starts, total seconds until it must be healthy, and seconds from SIGTERM to
 * SIGKILL, because modules have 10 seconds to stop by default.
 */
export const HUB_TRIAL = { starts: 3, seconds: 120, grace: 15 } as const;

/** Milliseconds for a new hub to print its version: 110 MB are read from a slow card. */
export const HUB_VERSION_TIMEOUT_MS = 20_000;

/** Milliseconds between two checks that the watchdog of a hub on trial is alive. */
export const WATCHDOG_CHECK_MS = 1_000;

/** Milliseconds between two checks that the orphans of an earlier trial have ended. */
export const ORPHAN_CHECK_MS = 50;

/** Times that an orphan may still hold the lock after that. */
export const MAX_ORPHAN_LOCK_CHECKS = 100;
