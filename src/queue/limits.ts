/* Bounds and times of the store: commits, journals, checkpoints, disk, delivery. */

/** Entries that are looked at at once when a queue is read through: a batch is what that costs in memory. */
export const DRAIN_BATCH_ENTRIES = 32;

/** Times that a receiver may fail on a message before it goes to the dead letters. */
export const MAX_ATTEMPTS = 16;

/**
 * Times that the delivery of a message may throw an exception before it goes to the dead letters, and
 * milliseconds between two.
 */
export const MAX_DELIVERY_EXCEPTIONS = 4;
export const DELIVERY_RETRY_MS = 1_000;

/** Dead letters that are kept, and their bytes. Beyond either, the holder with most loses its oldest. */
export const MAX_DEAD_LETTERS = 1_000;
export const MAX_DEAD_LETTER_BYTES = 16 << 20;

/**
 * Bytes that a dead letter costs its holder beside its own, so that number and bytes count alike: 1,000 empty
 * letters cost as much as 16 MB.
 */
export const DEAD_LETTER_COST_BYTES = 16 << 10;

/** Bytes of the name of metadata: the longest key that LMDB takes with pages of 4 KB. */
export const MAX_NAME_BYTES = 1_978;

/**
 * Bytes of the topic of a retained message: LMDB must be able to name it, and nine of its bytes say what it
 * is.
 */
export const MAX_RETAINED_TOPIC_BYTES = MAX_NAME_BYTES - 9;

/** Milliseconds between two sweeps for expired messages. */
export const SWEEP_INTERVAL_MS = 4_000;

/** Entries that one step of a sweep takes away, so that a sweep never stalls the loop. */
export const MAX_SWEEP_ENTRIES = 2_048;

/** Milliseconds after which hub time is persisted while messages wait: what a power cut may add to a TTL. */
export const HUB_TIME_INTERVAL_MS = 60_000;

/** Messages of more urgent priorities that go upstream for one of a less urgent, if that waits, too. */
export const PRIORITY_WEIGHT = 8;

/** Milliseconds without a new message that end the gathering of a burst: its sender waits for the answer. */
export const COMMIT_LULL_MS = 2;

/** Messages that fill a block of the journal, so that waiting for more spares the flash nothing. */
export const BLOCK_MESSAGES = 12;

/**
 * Messages with which a commit waits for no lull: they fill blocks enough, and their sender's window may be
 * full.
 */
export const COMMIT_NOW_MESSAGES = 48;

/** Messages, bytes of their bodies and of metadata, and removals that close a commit before its time. */
export const MAX_COMMIT_MESSAGES = 1000;
export const MAX_COMMIT_BYTES = 1 << 20;
export const MAX_COMMIT_REMOVALS = 2048;

/**
 * Milliseconds that a commit waits at most for receivers who have the message already, and commit windows
 * that it waits: their acknowledgement spares the write. A round trip of a mobile network.
 */
export const MAX_DELIVERY_WAIT_MS = 250;
export const MAX_DELIVERY_WINDOWS = 5;

/** Milliseconds that a commit which only takes entries away waits: a crash meanwhile merely redelivers. */
export const REMOVAL_WINDOW_MS = 250;

/** Milliseconds after which a failed commit or checkpoint is tried again. */
export const COMMIT_RETRY_MS = 1_000;

/** Bytes of one of the two journals: what a start replays, and what waits in memory, at most. */
export const JOURNAL_BYTES = 1 << 19;

/** Bytes of entries that the store keeps as one value: four pages of 4 KB, less LMDB's own head. */
export const MAX_CHUNK_BYTES = 4 * 4_096 - 24;

/** Entries, and removals, in memory that bring a checkpoint before the journal is full. */
export const MAX_CHECKPOINT_ENTRIES = 2048;
export const MAX_CHECKPOINT_REMOVALS = 4096;

/** Removals that wait for the disk before drains do. */
export const MAX_REMOVING = 3 * MAX_CHECKPOINT_REMOVALS;

/** Milliseconds after which what left the store gives its space back. */
export const CHECKPOINT_DELAY_MS = 3_000;

/** Bytes of a stored message up to which it lies with its entry: several fit into a page of 4 KB. */
export const MAX_INLINE_BYTES = 1_536;

/** Entries that are read at once to be dropped from a queue at its bound: some chunks. */
export const DROP_BATCH_ENTRIES = 128;

/** Bytes of the disk that are kept free for taking entries away: some commits' worth of copied pages. */
export const DISK_RESERVE_BYTES = 4 << 20;

/**
 * Bytes that the store keeps for itself on its disk: what both journals hold, and copies of the pages that it
 * touches.
 */
export const BALLAST_BYTES = 2 << 20;
