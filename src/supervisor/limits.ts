/* Bounds of modules: lines, logs, terminals and checks. */

/** Maximum number of last lines of standard error that are stored to show why a module failed. */
export const MAX_LAST_LINES = 3;

/** Maximum bytes of each line of standard error that is stored to show why a module failed. */
export const MAX_LAST_LINE_BYTES = 200;

/** Maximum bytes of one line in the log of a module. A longer line is cut and counted. */
export const MAX_LOG_LINE_BYTES = 1 << 18;

/**
 * Maximum number of output lines of one module that the hub has neither stored nor rejected yet. When this
 * number is reached, the module's standard output is not read. The number is large enough for the store to
 * commit many lines at once.
 */
export const MAX_PENDING_LINES = 256;

/**
 * Maximum bytes of the output lines of one module that the hub has neither stored nor rejected yet. The line
 * that exceeds this maximum is still accepted, so that the longest permitted line is never blocked forever.
 */
export const MAX_PENDING_LINE_BYTES = 1 << 20;

/** Minimum interval in milliseconds between two warnings about rejected lines of one module. */
export const LINE_WARNING_INTERVAL_MS = 10_000;

/** Delay in milliseconds before a line is offered to the hub again after the full store has rejected it. */
export const LINE_RETRY_MS = 1_000;

/** Maximum bytes of one module's current log file. */
export const MAX_LOG_FILE_BYTES = 1 << 20;

/** Maximum number of rotated log files of one module, not counting the current log file. */
export const MAX_OLD_LOG_FILES = 3;

/**
 * Maximum bytes of recent terminal output that a new viewer receives. This is enough for several full
 * screens.
 */
export const MAX_SCROLLBACK_BYTES = 1 << 16;

/** Maximum number of viewers of one terminal. */
export const MAX_VIEWERS = 8;

/**
 * Maximum bytes of the private /tmp of a sandboxed module, and also of its private /dev/shm. Both folders are
 * in memory.
 */
export const SANDBOX_TMP_BYTES = 64 << 20;

/** Milliseconds for which the addresses of this machine are cached. */
export const OWN_ADDRESSES_TTL_MS = 1_000;

/** Maximum interval in milliseconds between two health checks of a module that is not healthy. */
export const READY_CHECK_MS = 1_000;

/**
 * Value of `oom_score_adj` for modules. This is the highest value (proc(5)). With a lower value such as 800,
 * the kernel could kill the hub instead of a module, because the score also counts the mapped pages of the
 * hub's large binary.
 */
export const MODULE_OOM_SCORE_ADJ = 1_000;
