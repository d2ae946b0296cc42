/* Bounds and times of the store: commits, journals, checkpoints, disk, delivery. */

/** Maximum number of entries that are read from a queue in one batch. Bounds the memory of a read. */
export const DRAIN_BATCH_ENTRIES = 32;

/**
 * Maximum number of failed deliveries of a message. After the last failure the message becomes a dead letter.
 */
export const MAX_ATTEMPTS = 16;

/**
 * Maximum number of exceptions in the delivery of a message. After the last exception the message becomes a
 * dead letter.
 */
export const MAX_DELIVERY_EXCEPTIONS = 4;

/** Milliseconds between a delivery that threw an exception and the next delivery of the message. */
export const DELIVERY_RETRY_MS = 1_000;

/**
 * Maximum number of dead letters. Above this number, the holder with the highest total cost loses an old dead
 * letter. The holder is the user or module whose share is charged.
 */
export const MAX_DEAD_LETTERS = 1_000;

/**
 * Maximum bytes of all dead letters. Above this size, the holder (user or module) with the highest total cost
 * loses an old dead letter.
 */
export const MAX_DEAD_LETTER_BYTES = 16 << 20;

/**
 * Bytes that are added to the size of a dead letter to compute its cost. 1,000 empty dead letters thus cost
 * 16 MB. The maximum number and the maximum bytes of dead letters therefore have equal weight.
 */
export const DEAD_LETTER_COST_BYTES = 16 << 10;

/** Maximum bytes of a metadata name: the longest key that LMDB accepts with pages of 4 KB. */
export const MAX_NAME_BYTES = 1_978;

/**
 * Maximum bytes of the topic of a retained message. The topic is stored in a metadata name behind the prefix
 * `retained/` of nine bytes.
 */
export const MAX_RETAINED_TOPIC_BYTES = MAX_NAME_BYTES - 9;

/** Milliseconds between two sweeps that remove expired messages. */
export const SWEEP_INTERVAL_MS = 4_000;

/**
 * Maximum number of entries that one step of a sweep removes, so that a sweep does not block the event loop.
 */
export const MAX_SWEEP_ENTRIES = 2_048;

/**
 * Milliseconds between two writes of hub time (the hub's own clock for TTLs) to disk, while messages wait. A
 * power failure extends TTLs by at most this time.
 */
export const HUB_TIME_INTERVAL_MS = 60_000;

/**
 * Number of more urgent messages that are sent upstream before one less urgent message is sent, while
 * messages of both priorities wait.
 */
export const PRIORITY_WEIGHT = 8;

/**
 * Milliseconds without a new message after which the gathered messages are committed. After such a pause, the
 * senders usually wait for acknowledgements.
 */
export const COMMIT_LULL_MS = 2;

/**
 * Number of messages that fill a block (4 KB) of the journal. From this number on, waiting for more messages
 * saves no flash writes.
 */
export const BLOCK_MESSAGES = 12;

/**
 * Number of gathered messages at which a commit begins immediately, even if more messages arrive. These
 * messages fill several blocks of the disk, and their senders possibly send nothing more before the
 * acknowledgements.
 */
export const COMMIT_NOW_MESSAGES = 48;

/** Maximum number of messages in a commit. When this number is reached, the commit begins immediately. */
export const MAX_COMMIT_MESSAGES = 1000;

/**
 * Maximum bytes of message bodies and metadata in a commit. When this size is reached, the commit begins
 * immediately.
 */
export const MAX_COMMIT_BYTES = 1 << 20;

/** Maximum number of removals in a commit. When this number is reached, the commit begins immediately. */
export const MAX_COMMIT_REMOVALS = 2048;

/**
 * Maximum milliseconds that a commit waits for acknowledgements of messages in flight: one round trip of a
 * mobile network. A message that is acknowledged before the commit is not written.
 */
export const MAX_DELIVERY_WAIT_MS = 250;

/** Maximum wait of a commit for acknowledgements of messages in flight, as a multiple of `commitWindow`. */
export const MAX_DELIVERY_WINDOWS = 5;

/**
 * Milliseconds by which a commit is delayed if it contains only removals. A crash before this commit only
 * causes a redelivery of acknowledged messages.
 */
export const REMOVAL_WINDOW_MS = 250;

/** Milliseconds before a failed commit or checkpoint is retried. */
export const COMMIT_RETRY_MS = 1_000;

/**
 * Bytes of each of the two journal files. Limits the data that the hub replays at its start. Also limits the
 * entries in memory that wait for a checkpoint.
 */
export const JOURNAL_BYTES = 1 << 19;

/**
 * Maximum bytes of a chunk (entries that are stored together as one LMDB value): four pages of 4 KB less
 * LMDB's page header.
 */
export const MAX_CHUNK_BYTES = 4 * 4_096 - 24;

/** Number of entries in memory at which a checkpoint starts, even if the journal is not full. */
export const MAX_CHECKPOINT_ENTRIES = 2048;

/** Number of removals in memory at which a checkpoint starts, even if the journal is not full. */
export const MAX_CHECKPOINT_REMOVALS = 4096;

/**
 * Maximum number of removed entries that are still in LMDB. When this number is reached, all queues stop
 * sending.
 */
export const MAX_REMOVING = 3 * MAX_CHECKPOINT_REMOVALS;

/**
 * Maximum milliseconds between the removal of an entry and the start of the checkpoint that frees the entry's
 * disk space.
 */
export const CHECKPOINT_DELAY_MS = 3_000;

/**
 * Maximum bytes of an encoded message that is stored inline (in the chunk of its entry). Several such
 * messages fit into a chunk.
 */
export const MAX_INLINE_BYTES = 1_536;

/**
 * Number of entries that a full queue reads at once to drop its oldest entries. Such a read covers a few
 * chunks.
 */
export const DROP_BATCH_ENTRIES = 128;

/**
 * Bytes of disk that new messages must leave free. The removal of entries needs this space for the page
 * copies of a few LMDB transactions.
 */
export const DISK_RESERVE_BYTES = 4 << 20;

/**
 * Bytes of the ballast file, which reserves disk space for the store. The space suffices for the content of
 * both journals and the page copies of a checkpoint.
 */
export const BALLAST_BYTES = 2 << 20;
