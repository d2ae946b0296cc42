import type { Pressure } from '../core/capacity/pressure.ts';
import type { Holder } from '../core/capacity/shares.ts';
import type { Message, OnDurable } from '../core/message.ts';

/** Number of priorities. Priority 0 is the most urgent, as in Azure's routes. */
export const PRIORITIES = 10;

/** Queue that a message is appended to. The store creates the queue on first use. */
export type Destination = {
  readonly queue: string;
  /** Priority from 0 (most urgent) to 9. */
  readonly priority: number;
  /**
   * Maximum milliseconds that the entry can wait, in hub time (the hub's own clock for TTLs). Undefined if
   * the destination sets no limit.
   */
  readonly ttl: number | undefined;
};

/** Metadata value that is committed atomically with a message. */
export type MetadataEntry = { readonly name: string; readonly value: Buffer };

/** Message that a queue sends to its receiver. */
export type QueueEntry = {
  readonly message: Message;
  readonly priority: number;
  /** Sequence number in the store. Stays the same after a restart. */
  readonly sequence: number;
  /** Remaining lifetime in milliseconds. Undefined if the entry does not expire. */
  readonly remaining: number | undefined;
  /** True if the entry was possibly sent before, by this hub process or an earlier one [MQTT-3.3.1-1]. */
  readonly redelivered: boolean;
};

/** Reference to an entry. A receiver stores the reference until it acknowledges the entry. */
export type EntryRef = Pick<QueueEntry, 'sequence'>;

/**
 * Delivery of the entries of one queue to one receiver. A queue has at most one drain. A drain sends nothing
 * before the first `wake`.
 */
export type Drain = {
  /**
   * Removes an entry permanently. Ignores unknown entries. Calls `onDurable` when the removal is on disk and
   * the entry cannot reappear after a crash.
   */
  readonly acknowledge: (entry: EntryRef, onDurable?: OnDurable) => void;
  /**
   * Moves an entry to the dead letters. Called if the receiver will never accept the entry. `reason` is a
   * short phrase.
   */
  readonly reject: (entry: EntryRef, reason: string) => void;
  /**
   * Counts a failed delivery. The next `wake` offers the entry again at its position in the queue. After
   * MAX_ATTEMPTS failures the entry becomes a dead letter.
   */
  readonly retry: (entry: EntryRef, reason: string) => void;
  /**
   * Returns an entry to the queue after its receiver has disconnected. Does not count as a failed delivery.
   * The next `wake` offers the entry again at its position, marked as redelivered (MQTT 5, 4.8.2).
   */
  readonly requeue: (entry: EntryRef) => void;
  /** Sends more entries. Called when the receiver has space again. */
  readonly wake: () => void;
  /** Ends the drain. The next drain of the queue starts with the entries that were not acknowledged. */
  readonly stop: () => void;
};

/** Functions of a drain for a receiver that never rejects, retries or requeues an entry. */
export type SimpleDrain = Pick<Drain, 'acknowledge' | 'wake' | 'stop'>;

/**
 * Order in which entries of different priorities are sent. `strict`: more urgent entries are always sent
 * first. `weighted`: less urgent entries get a part of the deliveries, so that no priority starves. In this
 * mode, redeliveries precede new entries.
 */
export type PriorityMode = 'strict' | 'weighted';

export type DrainSettings = {
  /** Maximum number of entries that are sent and not acknowledged. */
  readonly window: number;
  /** Order in which entries of different priorities are sent. The default is `strict`. */
  readonly priorities?: PriorityMode;
  /**
   * True if entries are delivered only after their commit. Required if packet identifiers derive from the
   * sequence. Messages at QoS 2 are always committed first.
   */
  readonly durableFirst?: boolean;
  /**
   * Sends one entry to the receiver. Returns false if the receiver is busy. The next `wake` then offers the
   * entry again.
   */
  readonly send: (entry: QueueEntry) => boolean;
};

/**
 * Share of the store's space that the queues of one holder use together. The holder is the user or module
 * that the space is charged to.
 */
export type QueueShare = {
  readonly holder: Holder;
  /** Adds `bytes` to the bytes in use. `bytes` is negative if entries are removed. */
  readonly add: (bytes: number) => void;
  /**
   * Returns the number of bytes of the share that are free. If a new message needs more bytes, the oldest
   * messages of the holder are dropped.
   */
  readonly available: () => number;
};

/** Maximum size of a queue in bytes, and the policy for a full queue. */
export type QueueBound = { readonly maxSize: number; readonly whenFull: WhenFull };

/**
 * Policy for a full queue or store. `reject`: the sender gets an error. `dropOldest`: the oldest entries of
 * the least urgent priority are dropped.
 */
export type WhenFull = 'reject' | 'dropOldest';

/** Bounds of the store. `setBounds` replaces the bounds while the store is open. */
export type StoreBounds = {
  /** Maximum bytes of disk that the store can use, at least MIN_STORE_BYTES. */
  readonly maxSize: number;
  readonly whenFull: WhenFull;
  /** Returns the bound of a queue. Undefined if only the store's bound applies. */
  readonly boundOf: (queue: string) => QueueBound | undefined;
  /** Maximum milliseconds that any entry can wait. Undefined if there is no limit. */
  readonly ttl: number | undefined;
  /** Minimum milliseconds between two commits. A commit that fills a block of the disk does not wait. */
  readonly commitWindow: number;
};

export type QueueStats = {
  readonly queue: string;
  readonly depth: number;
  /** Bytes of disk that the messages of the queue use. */
  readonly bytes: number;
  /** Milliseconds that the oldest entry has waited. Undefined if the queue is empty. */
  readonly oldestMs: number | undefined;
};

/** Waiting entry in a listing. `message` is undefined if its bytes are damaged. */
export type WaitingEntry = {
  readonly priority: number;
  readonly sequence: number;
  readonly message: Message | undefined;
  /** Milliseconds that the entry has waited. */
  readonly waited: number;
  /** Remaining lifetime in milliseconds. Undefined if the entry does not expire. */
  readonly remaining: number | undefined;
};

/** Position of an entry in its queue. */
export type EntryPosition = Pick<WaitingEntry, 'priority' | 'sequence'>;

/** Undelivered message that was removed from its queue and is stored for the operator. */
export type DeadLetter = {
  /** Identifier for `replay` and `drop`. */
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  readonly reason: string;
  /** Milliseconds since the message became a dead letter. */
  readonly age: number;
  /** Undelivered message. Undefined if its stored bytes are damaged. The damaged bytes stay in the store. */
  readonly message: Message | undefined;
};

export type DeadLetters = {
  /** Returns all dead letters, oldest first. */
  readonly list: () => DeadLetter[];
  /**
   * Appends the message of a dead letter to its queue, then deletes the dead letter. Fails with
   * `letter.unknown`, `letter.damaged` or `store.full`.
   */
  readonly replay: (id: string, onDurable: OnDurable) => void;
  /** Deletes a dead letter. Fails with `letter.unknown`. */
  readonly drop: (id: string, onDurable: OnDurable) => void;
};

/** Retained message, sent to later subscribers (MQTT 5, 3.3.1.3). */
export type RetainedMessage = {
  /** Message whose `retained` flag is set. */
  readonly message: Message;
  /** Remaining lifetime in milliseconds. Undefined if the message does not expire. */
  readonly remaining: number | undefined;
};

/** Retained message in a listing. */
export type RetainedEntry = {
  readonly topic: string;
  readonly holder: Holder;
  /** Bytes of the encoded message. */
  readonly bytes: number;
  /** Milliseconds since the message was set. Undefined if an older version of the hub stored the message. */
  readonly age: number | undefined;
  /** Remaining lifetime in milliseconds. Undefined if the message does not expire. */
  readonly remaining: number | undefined;
};

/**
 * Retained messages by topic. The share of each holder (user or module) limits the number and the bytes of
 * its messages.
 */
export type RetainedMessages = {
  /**
   * Replaces the retained message of a topic. An empty body deletes the message. Calls `onDurable` without an
   * error once the change is on disk. If the change fails, the previous message stays, and `onDurable` gets
   * Failure `store.full` (no space, or the topic is too long) or `store.write`.
   */
  readonly set: (message: Message, holder: Holder, onDurable: OnDurable) => void;
  /** Deletes the retained message of a topic. */
  readonly clear: (topic: string, onDurable: OnDurable) => void;
  readonly list: () => RetainedEntry[];
  /**
   * Returns the retained message of a topic. Undefined if the topic has no retained message, or if the
   * message has expired.
   */
  readonly get: (topic: string) => RetainedMessage | undefined;
  /** Returns the sorted topics that begin with `prefix` and have a retained message. */
  readonly topics: (prefix: string) => string[];
  readonly count: () => number;
  readonly bytes: () => number;
};

/** Counters since the start of the hub: removed entries by reason, and writes of the store. */
export type StoreCounts = {
  appended: number;
  acknowledged: number;
  /**
   * Messages that were never written to disk, because every destination acknowledged them before the commit.
   */
  spared: number;
  expired: number;
  purged: number;
  /** Entries dropped because a bound was reached (`dropOldest`). */
  overflowed: number;
  /** Entries that became dead letters because the receiver rejected them or failed on them too often. */
  dead: number;
  /** Entries that became dead letters because their bytes on disk are damaged. */
  corrupt: number;
  /** Messages refused because there was no space or the disk failed. */
  refused: number;
  commits: number;
  checkpoints: number;
  /** Bytes of appended message bodies. */
  payload: number;
  /** Bytes written to the journal and to the database. */
  written: number;
};

/** State of the store for the commands `check` and `ps`. */
export type StoreHealth = {
  readonly state: 'working' | 'full' | 'failing';
  /** Reason for the state. Undefined while the store works. */
  readonly reason: string | undefined;
  /** Bytes of disk in use. */
  readonly usedBytes: number;
  /** Maximum bytes of disk that the store can use. */
  readonly maxBytes: number;
  readonly letters: number;
  /** Newest folder that a damaged store was moved to. Undefined if no store was moved. */
  readonly setAside: string | undefined;
};

/** Durable queues and metadata. Hides the database. */
export type Store = {
  /**
   * Back-pressure signal. The signal is high while the bytes that wait for the disk are at their maximum.
   * Connections then stop reading from their senders. The store still accepts messages while the signal is
   * high.
   */
  readonly pressure: Pressure;
  /**
   * Appends one message to several queues. Calls `onDurable` without an error when the message is on disk, or
   * when every destination has acknowledged the message. Calls `onDurable` with Failure `store.full` or
   * `store.write` if no queue has stored the message.
   *
   * A message at QoS 2, or with metadata, is committed before it is delivered. All such messages of one
   * synchronous turn are committed atomically with their metadata. Before this commit, neither these messages
   * nor later entries of their priorities are delivered, and `onDurable` is not called. If the commit fails,
   * no metadata is stored. If several calls append the same message, each call must pass the same metadata.
   */
  readonly append: (
    message: Message,
    destinations: readonly Destination[],
    onDurable: OnDurable,
    note?: MetadataEntry,
  ) => void;
  readonly drain: (queue: string, settings: DrainSettings) => Drain;
  /**
   * Returns up to `limit` entries of a queue in the order of delivery. If `after` is given, begins behind
   * this position. Removes nothing.
   */
  readonly peek: (queue: string, limit: number, after?: EntryPosition) => WaitingEntry[];
  /**
   * Returns the sequences of the first `count` entries of each priority. Includes expired entries that no
   * sweep has removed yet.
   */
  readonly heads: (queue: string, count: number) => number[];
  /**
   * Deletes one entry and counts it as purged. Fails with `entry.unknown` if the entry does not exist or is
   * in flight.
   */
  readonly drop: (queue: string, sequence: number, onDurable: OnDurable) => void;
  /** Charges the bytes of a queue to `share` until the queue is purged. */
  readonly assignShare: (queue: string, share: QueueShare) => void;
  /** Deletes a queue. Its entries count as purged. Their disk space is freed in bounded steps. */
  readonly purge: (queue: string) => void;
  readonly deadLetters: DeadLetters;
  readonly retained: RetainedMessages;
  /** Returns hub time (the hub's own clock for TTLs) in milliseconds. */
  readonly now: () => number;
  /**
   * Adds downtime of the hub in milliseconds to hub time (the clock for TTLs). Messages therefore also expire
   * during downtime.
   */
  readonly advance: (milliseconds: number) => void;
  /** Replaces the bounds. Waiting entries keep their expiry. */
  readonly setBounds: (bounds: StoreBounds) => void;
  /**
   * Stores a metadata value under a name. Deletes the value if `value` is undefined. Fails with `store.write`
   * if the name is longer than MAX_NAME_BYTES.
   */
  readonly put: (name: string, value: Buffer | undefined, onDurable: OnDurable) => void;
  /**
   * Begins the next commit soon instead of waiting for more data. Used for rare metadata values whose caller
   * waits for the commit.
   */
  readonly flushSoon: () => void;
  readonly get: (name: string) => Buffer | undefined;
  /** Returns the sorted metadata names that begin with `prefix`. */
  readonly names: (prefix: string) => string[];
  readonly stats: () => QueueStats[];
  /** Returns the statistics of one queue. Undefined if the queue does not exist. */
  readonly statsOf: (queue: string) => QueueStats | undefined;
  /**
   * Returns the number of entries of a queue and the bytes of disk that they use, without reading the disk.
   */
  readonly sizeOf: (queue: string) => Pick<QueueStats, 'depth' | 'bytes'>;
  readonly counts: () => Readonly<StoreCounts>;
  readonly health: () => StoreHealth;
  /** Commits all gathered data, then closes the store. */
  readonly close: () => Promise<void>;
};
