/* Bounds of modules: their lines, logs, terminals and checks. */

/**
 * Lines that a module wrote to standard error last, and bytes of each, that are kept to tell why it failed.
 */
export const MAX_LAST_LINES = 3;
export const MAX_LAST_LINE_BYTES = 200;

/** Bytes of one line in the log of a module; a longer one is cut there and counted. */
export const MAX_LOG_LINE_BYTES = 1 << 18;

/**
 * Lines of one module that are not yet settled, and their bytes, before its standard output is no longer
 * read: enough for the store to commit many at once. The line that exceeds the bytes is still taken, so that
 * the longest one finds room.
 */
export const MAX_PENDING_LINES = 256;
export const MAX_PENDING_LINE_BYTES = 1 << 20;

/** Milliseconds between two log lines about what one module prints and the hub does not deliver. */
export const LINE_WARNING_INTERVAL_MS = 10_000;

/** Milliseconds after which a line that found no room is offered again. */
export const LINE_RETRY_MS = 1_000;

/** Bytes of one module's log file, and how many are kept beside the newest. */
export const MAX_LOG_FILE_BYTES = 1 << 20;
export const MAX_OLD_LOG_FILES = 3;

/** Bytes of what a module printed on its terminal that are shown to whoever attaches: some screens full. */
export const MAX_SCROLLBACK_BYTES = 1 << 16;

/** Viewers of one terminal. */
export const MAX_VIEWERS = 8;

/** Bytes of the /tmp and the /dev/shm that a sandboxed module has for itself: they are memory. */
export const SANDBOX_TMP_BYTES = 64 << 20;

/** Milliseconds after which the addresses of this machine are read again: the network seldom changes. */
export const OWN_ADDRESSES_TTL_MS = 1_000;

/** Milliseconds between two looks at a module that is not well yet, at most. */
export const READY_CHECK_MS = 1_000;

/**
 * `oom_score_adj` of modules, the highest there is (proc(5)): the kernel also counts the mapped pages of a
 * program, and in a control group of 64 MB those of the hub's binary alone outweigh 800.
 */
export const MODULE_OOM_SCORE_ADJ = 1_000;
