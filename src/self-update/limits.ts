/* Bounds of self-updates of the hub. */

/** Maximum bytes of a hub binary, about twice the current size. */
export const MAX_HUB_BYTES = 256 << 20;

/** Maximum bytes of the state file of self-updates. */
export const MAX_HUB_STATE_BYTES = 1 << 16;

/**
 * Bounds of the trial of a new hub binary: maximum number of starts, maximum seconds until the hub is
 * healthy, and seconds from SIGTERM to SIGKILL. The hub needs more than the 10 seconds that its modules have
 * to stop by default.
 */
export const HUB_TRIAL = { starts: 3, seconds: 120, grace: 15 } as const;

/**
 * Maximum milliseconds until a new hub binary prints its version. Reading 110 MB from an SD card takes long.
 */
export const HUB_VERSION_TIMEOUT_MS = 20_000;

/** Milliseconds between two checks whether the watchdog of a hub on trial runs. */
export const WATCHDOG_CHECK_MS = 1_000;

/**
 * Milliseconds between two checks whether the orphans (processes that a killed watchdog left behind) have
 * ended.
 */
export const ORPHAN_CHECK_MS = 50;

/** Maximum number of attempts to lock the data folder after the orphans of a killed watchdog have ended. */
export const MAX_ORPHAN_LOCK_CHECKS = 100;
