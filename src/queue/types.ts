import type { Pressure } from '../core/capacity/pressure.ts';
import type { Holder } from '../core/capacity/shares.ts';
import type { Message, OnDurable } from '../core/message.ts';

/** Number of priorities. 0 is the most urgent, as in Azure's routes. */
export const PRIORITIES = 10;

/** Queue that a message is appended to. A queue is created when it is first named. */
export type Destination = {
  readonly queue: string;
  /** From 0 to 9, the most urgent first. */
  readonly priority: number;
  /** Milliseconds of hub time that the entry may wait. Undefined if the destination sets no limit. */
  readonly ttl: number | undefined;
};

/** Metadata value that is committed atomically with a message. */
export type MetadataEntry = { readonly name: string; readonly value: Buffer };

/** A message on its way out of a queue. */
export type QueueEntry = {
  readonly message: Message;
  readonly priority: number;
  /** Sequence number in the store, kept over restarts. */
  readonly sequence: number;
  /** Milliseconds of hub time left. Undefined if there is no limit. */
  readonly remaining: number | undefined;
  /** True if it may have been sent already, also by an earlier run of the hub [MQTT-3.3.1-1]. */
  readonly redelivered: boolean;
};

/** Part of an entry that a receiver keeps until it acknowledges it. */
export type EntryRef = Pick<QueueEntry, 'sequence'>;

/** Consumer of one queue; a queue has at most one. Sends nothing before the first `wake`. */
export type Drain = {
  /**
   * Removes an entry for good; ignores unknown entries. Calls `onDurable` once a crash can no longer bring
   * the entry back.
   */
  readonly acknowledge: (entry: EntryRef, onDurable?: OnDurable) => void;
  /** Moves an entry that the receiver will never accept to the dead letters. `reason` is a few words. */
  readonly reject: (entry: EntryRef, reason: string) => void;
  /**
   * Counts a failed delivery. The next `wake` offers the entry again at its place; after MAX_ATTEMPTS it
   * becomes a dead letter.
   */
  readonly retry: (entry: EntryRef, reason: string) => void;
  /**
   * Returns an entry whose receiver went away, without counting an attempt. The next `wake` offers it again
   * at its place, marked as redelivered (MQTT 5, 4.8.2).
   */
  readonly requeue: (entry: EntryRef) => void;
  /** Sends more. Called when the receiver accepts more again. */
  readonly wake: () => void;
  /** Ends the drain. The next drain of the queue begins with the entries that were not acknowledged. */
  readonly stop: () => void;
};

/** Part of a drain for a receiver that either accepts an entry or leaves it waiting. */
export type SimpleDrain = Pick<Drain, 'acknowledge' | 'wake' | 'stop'>;

/**
 * `strict`: an entry waits as long as a more urgent one waits. `weighted`: less urgent entries get a share,
 * so that none starves; unacknowledged entries are redelivered first.
 */
export type PriorityMode = 'strict' | 'weighted';

export type DrainSettings = {
  /** Maximum number of entries that are sent and not acknowledged. */
  readonly window: number;
  /** Default: `strict`. */
  readonly priorities?: PriorityMode;
  /**
   * Deliver only committed entries. Needed when packet identifiers derive from the sequence, and always done
   * at QoS 2.
   */
  readonly durableFirst?: boolean;
  /** Sends one entry. Returns false if the receiver is busy; the next `wake` offers the entry again. */
  readonly send: (entry: QueueEntry) => boolean;
};

/** Share of the store that the queues of one holder use together. */
export type QueueShare = {
  readonly holder: Holder;
  /** Adds bytes of its queues; negative if they leave. */
  readonly add: (bytes: number) => void;
  /** Bytes that may be added. Beyond them the oldest messages of the holder are dropped. */
  readonly available: () => number;
};

/** Bound of a queue in bytes, and the policy when it is reached. */
export type QueueBound = { readonly maxSize: number; readonly whenFull: WhenFull };

/**
 * `reject`: the sender gets an error. `dropOldest`: the oldest entries of the least urgent priority are
 * dropped.
 */
export type WhenFull = 'reject' | 'dropOldest';

/** Settings that may change while the store is open. */
export type StoreBounds = {
  /** Bytes of disk that the store may use, at least MIN_STORE_BYTES, and the policy beyond them. */
  readonly maxSize: number;
  readonly whenFull: WhenFull;
  /** Returns the bound of a queue. Undefined if only the store's bound applies. */
  readonly boundOf: (queue: string) => QueueBound | undefined;
  /** Maximum milliseconds of hub time that any entry may wait. Undefined if there is no limit. */
  readonly ttl: number | undefined;
  /** Minimum milliseconds between two commits that hardly fill a block of the disk. */
  readonly commitWindow: number;
};

export type QueueStats = {
  readonly queue: string;
  readonly depth: number;
  /** Bytes of disk that its messages use. */
  readonly bytes: number;
  /** Milliseconds of hub time that the oldest entry has waited. Undefined if the queue is empty. */
  readonly oldestMs: number | undefined;
};

/** Waiting entry as listings show it. The message is undefined if it is damaged. */
export type WaitingEntry = {
  readonly priority: number;
  readonly sequence: number;
  readonly message: Message | undefined;
  /** Milliseconds of hub time that the entry has waited, and that are left. */
  readonly waited: number;
  readonly remaining: number | undefined;
};

/** Position of an entry in its queue. */
export type EntryPosition = Pick<WaitingEntry, 'priority' | 'sequence'>;

/** Message that left its queue undelivered and is kept for an operator. Lists are oldest first. */
export type DeadLetter = {
  /** Identifier for `replay` and `drop`. */
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  readonly reason: string;
  /** Milliseconds of hub time since the message became a dead letter. */
  readonly age: number;
  /** Undefined if the bytes are damaged; they are kept as they are. */
  readonly message: Message | undefined;
};

export type DeadLetters = {
  readonly list: () => DeadLetter[];
  /** Appends a letter to the end of its queue; Failure `letter.unknown`, `letter.damaged`, `store.full`. */
  readonly replay: (id: string, onDurable: OnDurable) => void;
  /** Deletes a letter; Failure `letter.unknown`. */
  readonly drop: (id: string, onDurable: OnDurable) => void;
};

/** Retained message, kept for later subscribers (MQTT 5, 3.3.1.3). */
export type RetainedMessage = {
  /** Message with `retained` set. */
  readonly message: Message;
  /** Milliseconds of hub time left. Undefined if there is no limit. */
  readonly remaining: number | undefined;
};

/** Retained message in a listing. */
export type RetainedEntry = {
  readonly topic: string;
  readonly holder: Holder;
  /** Bytes of the encoded message. */
  readonly bytes: number;
  /** Milliseconds of hub time since it was set. Undefined if an older hub has stored it. */
  readonly age: number | undefined;
  /** Milliseconds of hub time left. Undefined if there is no limit. */
  readonly remaining: number | undefined;
};

/** Retained messages by topic, bounded in number and bytes by the shares of their holders. */
export type RetainedMessages = {
  /**
   * Replaces the retained message of a topic; an empty body deletes it. Calls `onDurable` once this is on
   * disk, or with Failure `store.full` (no space, or the topic is too long) or `store.write`; then nothing
   * has changed.
   */
  readonly set: (message: Message, holder: Holder, onDurable: OnDurable) => void;
  /** Deletes the message of a topic. */
  readonly clear: (topic: string, onDurable: OnDurable) => void;
  readonly list: () => RetainedEntry[];
  /** Undefined if the topic has no message, or it has expired. */
  readonly get: (topic: string) => RetainedMessage | undefined;
  /** Topics with a message that begin with `prefix`, in order. */
  readonly topics: (prefix: string) => string[];
  readonly count: () => number;
  readonly bytes: () => number;
};

/** Counters since the hub started: why entries left their queues, and the cost of the store. */
export type StoreCounts = {
  appended: number;
  acknowledged: number;
  /** Acknowledged by every destination before the commit, so never written. */
  spared: number;
  expired: number;
  purged: number;
  /** Dropped because a bound was reached (`dropOldest`). */
  overflowed: number;
  /** Rejected by the receiver, or failed too often; now dead letters. */
  dead: number;
  /** Damaged on disk; now dead letters. */
  corrupt: number;
  /** Not accepted: no space, or the disk failed. */
  refused: number;
  commits: number;
  checkpoints: number;
  /** Bytes of appended message bodies, and bytes written to the file system for them. */
  payload: number;
  written: number;
};

/** State of the store as `check` and `ps` show it. */
export type StoreHealth = {
  readonly state: 'working' | 'full' | 'failing';
  /** Undefined while the store works. */
  readonly reason: string | undefined;
  /** Bytes of disk in use, and the bound. */
  readonly usedBytes: number;
  readonly maxBytes: number;
  readonly letters: number;
  /** Folder of a damaged store that was moved away at the start. Undefined if no store was. */
  readonly setAside: string | undefined;
};

/** Durable queues and metadata. Hides the database. */
export type Store = {
  /**
   * Back-pressure: high while the bytes that wait for the disk are at their bound. Senders then stop reading
   * their input; messages that they append anyway are kept.
   */
  readonly pressure: Pressure;
  /**
   * Appends one message to several queues at once. Calls `onDurable` without an error once every destination
   * has acknowledged it or it is flushed to disk, and with Failure `store.full` or `store.write` if no queue
   * kept it.
   *
   * At QoS 2, or with metadata, the message is committed before it is delivered. It and the metadata are one
   * atomic commit, together with all such appends of the same synchronous turn. Until then neither it nor
   * later entries of its priority are delivered, and `onDurable` waits. An error keeps no metadata. A message
   * that is appended in parts has the same metadata with each part.
   */
  readonly append: (
    message: Message,
    destinations: readonly Destination[],
    onDurable: OnDurable,
    note?: MetadataEntry,
  ) => void;
  readonly drain: (queue: string, settings: DrainSettings) => Drain;
  /** First `limit` entries of a queue, or of those behind `after`, in the order of delivery. Removes none. */
  readonly peek: (queue: string, limit: number, after?: EntryPosition) => WaitingEntry[];
  /**
   * Sequences of the first `count` entries of each priority, including expired ones that are not swept yet.
   */
  readonly heads: (queue: string, count: number) => number[];
  /**
   * Deletes one entry and counts it as purged; Failure `entry.unknown` if it does not exist or is in flight.
   */
  readonly drop: (queue: string, sequence: number, onDurable: OnDurable) => void;
  /** Counts a queue in the share of its holder until it is purged. */
  readonly assignShare: (queue: string, share: QueueShare) => void;
  /** Deletes a queue and its entries, counted as purged. The space is freed in bounded steps. */
  readonly purge: (queue: string) => void;
  readonly deadLetters: DeadLetters;
  readonly retained: RetainedMessages;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  /** Adds milliseconds of downtime to hub time, so that they count in TTLs. */
  readonly advance: (milliseconds: number) => void;
  /** Replaces the bounds. Entries that wait already keep their expiry. */
  readonly setBounds: (bounds: StoreBounds) => void;
  /**
   * Stores a metadata value under a name; undefined deletes it. Failure `store.write` if the name has more
   * than MAX_NAME_BYTES.
   */
  readonly put: (name: string, value: Buffer | undefined, onDurable: OnDurable) => void;
  /** Commits soon instead of when a commit is worth it, for rare values that someone waits for. */
  readonly flushSoon: () => void;
  readonly get: (name: string) => Buffer | undefined;
  /** Names that begin with `prefix`, in order. */
  readonly names: (prefix: string) => string[];
  readonly stats: () => QueueStats[];
  /** Statistics of one queue. Undefined if it does not exist. */
  readonly statsOf: (queue: string) => QueueStats | undefined;
  /** Number of entries of a queue and the bytes of disk that they use, without a read. */
  readonly sizeOf: (queue: string) => Pick<QueueStats, 'depth' | 'bytes'>;
  readonly counts: () => Readonly<StoreCounts>;
  readonly health: () => StoreHealth;
  /** Commits what is gathered, then closes. */
  readonly close: () => Promise<void>;
};
