/* Bounds of self-updates of the hub. */

/** Maximum bytes of a hub binary, about twice the current size. */
export const MAX_HUB_BYTES = 256 << 20;

/** Maximum bytes of the state file of self-updates. */
export const MAX_HUB_STATE_BYTES = 1 << 16;

/**
 * Bounds of the trial of a new hub binary: maximum starts, total seconds until it must be healthy, and
 * seconds from SIGTERM to SIGKILL. Modules have 10 seconds to stop by default, so the hub needs more.
 */
export const HUB_TRIAL = { starts: 3, seconds: 120, grace: 15 } as const;

/**
 * Maximum milliseconds until a new hub binary prints its version. Reading 110 MB from an SD card takes long.
 */
export const HUB_VERSION_TIMEOUT_MS = 20_000;

/** Milliseconds between two checks whether the watchdog of a hub on trial runs. */
export const WATCHDOG_CHECK_MS = 1_000;

/** Milliseconds between two checks whether the orphans of an earlier trial have ended. */
export const ORPHAN_CHECK_MS = 50;

/** Maximum attempts to lock the data folder after the orphans have ended. */
export const MAX_ORPHAN_LOCK_CHECKS = 100;
