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
   * Maximum milliseconds of hub time (the hub's own clock for TTLs) that the entry may wait. Undefined if the
   * destination sets no limit.
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
  /** Remaining lifetime in milliseconds of hub time. Undefined if the entry does not expire. */
  readonly remaining: number | undefined;
  /** True if the entry may have been sent before, by this run of the hub or an earlier run [MQTT-3.3.1-1]. */
  readonly redelivered: boolean;
};

/** Part of an entry that a receiver stores until it acknowledges the entry. */
export type EntryRef = Pick<QueueEntry, 'sequence'>;

/** Consumer of one queue. A queue has at most one drain. A drain sends nothing before the first `wake`. */
export type Drain = {
  /**
   * Removes an entry permanently; ignores unknown entries. Calls `onDurable` when the removal is on disk, so
   * that the entry cannot reappear after a crash.
   */
  readonly acknowledge: (entry: EntryRef, onDurable?: OnDurable) => void;
  /** Moves an entry that the receiver will never accept to the dead letters. `reason` is a short phrase. */
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
 * Order in which entries of different priorities are sent. `strict`: an entry waits while a more urgent entry
 * waits. `weighted`: less urgent entries get a share of the deliveries, so that no priority starves;
 * unacknowledged entries are redelivered first.
 */
export type PriorityMode = 'strict' | 'weighted';

export type DrainSettings = {
  /** Maximum number of entries that are sent and not acknowledged. */
  readonly window: number;
  /** Order in which entries of different priorities are sent. The default is `strict`. */
  readonly priorities?: PriorityMode;
  /**
   * True if only committed entries may be delivered. Required if packet identifiers derive from the sequence.
   * Messages at QoS 2 are always committed first.
   */
  readonly durableFirst?: boolean;
  /**
   * Sends one entry to the receiver. Returns false if the receiver is busy; the next `wake` offers the entry
   * again.
   */
  readonly send: (entry: QueueEntry) => boolean;
};

/**
 * Share of the store's space that all queues of one holder (the user or module whose share is charged) use
 * together.
 */
export type QueueShare = {
  readonly holder: Holder;
  /** Adds `bytes` to the bytes in use. `bytes` is negative if entries are removed. */
  readonly add: (bytes: number) => void;
  /**
   * Returns the number of bytes that may still be added. If more bytes are added, the oldest messages of the
   * holder are dropped.
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

/** Bounds of the store. `setBounds` changes the bounds while the store is open. */
export type StoreBounds = {
  /** Maximum bytes of disk that the store may use, at least MIN_STORE_BYTES. */
  readonly maxSize: number;
  /** Policy for a full store. */
  readonly whenFull: WhenFull;
  /** Returns the bound of a queue. Undefined if only the store's bound applies. */
  readonly boundOf: (queue: string) => QueueBound | undefined;
  /** Maximum milliseconds of hub time that any entry may wait. Undefined if there is no limit. */
  readonly ttl: number | undefined;
  /**
   * Minimum milliseconds between a commit and the next commit, if the next commit does not fill a block of
   * the disk.
   */
  readonly commitWindow: number;
};

export type QueueStats = {
  readonly queue: string;
  readonly depth: number;
  /** Bytes of disk that the messages of the queue use. */
  readonly bytes: number;
  /** Milliseconds of hub time that the oldest entry has waited. Undefined if the queue is empty. */
  readonly oldestMs: number | undefined;
};

/** Waiting entry in a listing. `message` is undefined if its bytes are damaged. */
export type WaitingEntry = {
  readonly priority: number;
  readonly sequence: number;
  readonly message: Message | undefined;
  /** Milliseconds of hub time that the entry has waited. */
  readonly waited: number;
  /** Remaining lifetime in milliseconds of hub time. Undefined if the entry does not expire. */
  readonly remaining: number | undefined;
};

/** Position of an entry in its queue. */
export type EntryPosition = Pick<WaitingEntry, 'priority' | 'sequence'>;

/**
 * Undelivered message that was removed from its queue and is stored for the operator. Lists are oldest first.
 */
export type DeadLetter = {
  /** Identifier for `replay` and `drop`. */
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  readonly reason: string;
  /** Milliseconds of hub time since the message became a dead letter. */
  readonly age: number;
  /** Undelivered message. Undefined if its stored bytes are damaged. The damaged bytes stay in the store. */
  readonly message: Message | undefined;
};

export type DeadLetters = {
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
  /** Remaining lifetime in milliseconds of hub time. Undefined if the message does not expire. */
  readonly remaining: number | undefined;
};

/** Retained message in a listing. */
export type RetainedEntry = {
  readonly topic: string;
  readonly holder: Holder;
  /** Bytes of the encoded message. */
  readonly bytes: number;
  /**
   * Milliseconds of hub time since the message was set. Undefined if an older version of the hub stored it.
   */
  readonly age: number | undefined;
  /** Remaining lifetime in milliseconds of hub time. Undefined if the message does not expire. */
  readonly remaining: number | undefined;
};

/** Retained messages by topic. Their number and bytes are bounded by the shares of their holders. */
export type RetainedMessages = {
  /**
   * Replaces the retained message of a topic; an empty body deletes it. Calls `onDurable` without an error
   * once the change is on disk. If the change fails, the previous message stays, and `onDurable` gets Failure
   * `store.full` (no space, or the topic is too long) or `store.write`.
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

/** Counters since the hub started: entries by the reason of their removal, and writes of the store. */
export type StoreCounts = {
  appended: number;
  acknowledged: number;
  /**
   * Messages that every destination acknowledged before the commit, so that they were never written to disk.
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
  /** Bytes written to the file system. */
  written: number;
};

/** State of the store for the commands `check` and `ps`. */
export type StoreHealth = {
  readonly state: 'working' | 'full' | 'failing';
  /** Reason for the state. Undefined while the store works. */
  readonly reason: string | undefined;
  /** Bytes of disk in use. */
  readonly usedBytes: number;
  /** Maximum bytes of disk that the store may use. */
  readonly maxBytes: number;
  readonly letters: number;
  /** Newest folder that a damaged store was moved to. Undefined if no store was moved. */
  readonly setAside: string | undefined;
};

/** Durable queues and metadata. Hides the database. */
export type Store = {
  /**
   * Back-pressure signal. High while the bytes that wait for the disk are at their maximum. Connections then
   * stop reading from their senders. Messages that are appended while the signal is high are still accepted.
   */
  readonly pressure: Pressure;
  /**
   * Appends one message to several queues at once. Calls `onDurable` without an error once every destination
   * has acknowledged the message or the message is flushed to disk. Calls `onDurable` with Failure
   * `store.full` or `store.write` if no queue has stored the message.
   *
   * A message at QoS 2, or with metadata, is committed before it is delivered. All such messages that are
   * appended in one synchronous turn form one atomic commit with their metadata. Before this commit neither
   * the message nor later entries of its priority are delivered, and `onDurable` is not called. If the commit
   * fails, no metadata is stored. If several calls append the same message, each call must pass the same
   * metadata.
   */
  readonly append: (
    message: Message,
    destinations: readonly Destination[],
    onDurable: OnDurable,
    note?: MetadataEntry,
  ) => void;
  readonly drain: (queue: string, settings: DrainSettings) => Drain;
  /**
   * Returns up to `limit` entries of a queue in the order of delivery, beginning behind the position `after`
   * if it is given. Removes nothing.
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
  /** Deletes a queue and its entries, which are counted as purged. The space is freed in bounded steps. */
  readonly purge: (queue: string) => void;
  readonly deadLetters: DeadLetters;
  readonly retained: RetainedMessages;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  /** Adds downtime of the hub in milliseconds to hub time, so that TTLs include the downtime. */
  readonly advance: (milliseconds: number) => void;
  /** Replaces the bounds. Waiting entries keep their expiry. */
  readonly setBounds: (bounds: StoreBounds) => void;
  /**
   * Stores a metadata value under a name; undefined deletes the value. Fails with `store.write` if the name
   * is longer than MAX_NAME_BYTES.
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
  /** Statistics of one queue. Undefined if it does not exist. */
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
