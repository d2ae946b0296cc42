/* Bounds and times of the store: its commits, its journals, its checkpoints and its disk. */

/** Milliseconds between two commits by default: 50 keep a steady load under 8 written bytes per byte of payload. */
export const COMMIT_WINDOW = 50;

/** Milliseconds that a manifest may ask for at most. */
export const MAX_COMMIT_WINDOW = 10_000;

/** Milliseconds without a new message that end the gathering of a burst: its sender waits for the answer. */
export const COMMIT_LULL = 2;

/** Messages that fill a block of the journal, so that waiting for more spares the flash nothing. */
export const COMMIT_WORTH = 12;

/** Messages with which a commit waits for no lull: they fill blocks enough, and their sender's window may be full. */
export const COMMIT_AT_ONCE = 48;

/** Messages, bytes of their bodies and of settled state, and removals that close a commit before its time. */
export const COMMIT_MESSAGES = 1000;
export const COMMIT_BYTES = 1 << 20;
export const COMMIT_REMOVALS = 2048;

/**
 * Milliseconds that a commit waits at most for receivers who have the message already, and commit windows
 * that it waits: their acknowledgement spares the write. A round trip of a mobile network.
 */
export const DELIVERY_WAIT = 250;
export const DELIVERY_WINDOWS = 5;

/** Milliseconds that a commit which only takes entries away waits: a crash meanwhile merely redelivers. */
export const REMOVAL_WINDOW = 250;

/** Milliseconds after which a failed commit or checkpoint is tried again. */
export const COMMIT_RETRY = 1_000;

/** Bytes of one of the two journals: what a start replays, and what waits in memory, at most. */
export const JOURNAL_BYTES = 1 << 19;

/** Bytes of entries that the store keeps as one value: four pages of 4 KB, less LMDB's own head. */
export const CHUNK_BYTES = 4 * 4_096 - 24;

/** Entries, and removals, in memory that bring a checkpoint before the journal is full. */
export const CHECKPOINT_ENTRIES = 2048;
export const CHECKPOINT_REMOVALS = 4096;

/** Removals that wait for the disk before drains do. */
export const MAX_REMOVING = 3 * CHECKPOINT_REMOVALS;

/** Milliseconds after which what left the store gives its space back. */
export const CHECKPOINT_DELAY = 3_000;

/** Bytes of a stored message up to which it lies with its entry: several fit into a page of 4 KB. */
export const INLINE_BYTES = 1_536;

/** Entries that are read at once to be dropped from a queue at its bound: some chunks. */
export const DROP_BATCH = 128;

/** Bytes of the disk that are kept free for taking entries away: some commits' worth of copied pages. */
export const DISK_RESERVE = 4 << 20;

/** Bytes that the store keeps for itself on its disk: what both journals hold, and copies of the pages that it touches. */
export const BALLAST_BYTES = 2 << 20;
