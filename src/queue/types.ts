import type { Pressure } from '../core/capacity/pressure.ts';
import type { Resources } from '../core/capacity/resources.ts';
import type { Holder } from '../core/capacity/shares.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Message, OnDurable } from '../core/message.ts';

/** Lower goes first; Azure's routes use the same scale. */
export const PRIORITIES = 10;

/** One queue that a message goes to. A queue comes into being when it is first named. */
export type Destination = {
  readonly queue: string;
  /** 0 to 9, lower first. */
  readonly priority: number;
  /** Milliseconds of hub time the entry may wait; undefined: no limit of its own. */
  readonly ttl: number | undefined;
};

/** Settled state that is kept together with a message, or not at all. */
export type MetadataEntry = { readonly name: string; readonly value: Buffer };

/** A message on its way out of a queue. */
export type QueueEntry = {
  readonly message: Message;
  readonly priority: number;
  /** Its number in the store, which it keeps over restarts. */
  readonly sequence: number;
  /** Milliseconds of hub time left to it; undefined: no limit. */
  readonly remaining: number | undefined;
  /** True if it may have been sent already, also by an earlier run of the hub [MQTT-3.3.1-1]. */
  readonly redelivered: boolean;
};

/** What a receiver keeps of an entry until it has it for good. */
export type EntryRef = Pick<QueueEntry, 'sequence'>;

/** A consumer of one queue, at most one per queue at a time. It sends nothing before its first `wake`. */
export type Drain = {
  /**
   * The receiver has the entry for good: it leaves the queue. Unknown entries are ignored. `settle` is called
   * once a crash can no longer bring it back.
   */
  readonly acknowledge: (entry: EntryRef, onDurable?: OnDurable) => void;
  /** The receiver will never take the entry: it goes to the dead letters with `reason`, a few words. */
  readonly reject: (entry: EntryRef, reason: string) => void;
  /** It failed this time: the next `wake` offers it again at its place; after MAX_ATTEMPTS it is refused. */
  readonly retry: (entry: EntryRef, reason: string) => void;
  /**
   * Its receiver went away with it: the next `wake` offers it again at its place, marked as redelivered, to whoever
   * receives then (MQTT 5, 4.8.2). It did not fail: nothing is counted.
   */
  readonly requeue: (entry: EntryRef) => void;
  /** Looks for more to send: call it when the receiver can take more again. */
  readonly wake: () => void;
  /** Ends the drain; what was not acknowledged is first in line for the next one. */
  readonly stop: () => void;
};

/** Part of a drain for a receiver that either accepts an entry or leaves it waiting. */
export type SimpleDrain = Pick<Drain, 'acknowledge' | 'wake' | 'stop'>;

/**
 * `strict`: nothing goes while something more urgent waits. `weighted`: something less urgent goes now and then, so that it
 * does not wait for ever; what was sent before and not acknowledged goes before anything else.
 */
export type PriorityMode = 'strict' | 'weighted';

export type DrainSettings = {
  /** How many entries may be sent and not yet acknowledged. */
  readonly window: number;
  /** Default: `strict`. */
  readonly priorities?: PriorityMode;
  /** Its receiver knows messages by their sequences: it is offered what is on disk alone, as a message at QoS 2 always is. */
  readonly durableFirst?: boolean;
  /** Takes one entry; false: not now, offer it again at the next `wake`. */
  readonly send: (entry: QueueEntry) => boolean;
};

/** The part of the store that one holder's queues may take together. */
export type QueueShare = {
  readonly holder: Holder;
  /** Counts bytes of its queues; a negative amount has left. */
  readonly add: (bytes: number) => void;
  /** Bytes that may be added; beyond them the holder's oldest messages make room. */
  readonly available: () => number;
};

/** A queue's bound, and what happens at it. */
export type QueueBound = { readonly maxSize: number; readonly whenFull: WhenFull };

/** `reject`: the sender is refused. `dropOldest`: the oldest of the least urgent priority makes room. */
export type WhenFull = 'reject' | 'dropOldest';

/** What may be changed while the store is open. */
export type StoreBounds = {
  /** Bytes of disk that the store may take, MIN_STORE_BYTES at least, and what happens beyond them. */
  readonly maxSize: number;
  readonly whenFull: WhenFull;
  /** The bound of a queue by its name; undefined: the store's alone. */
  readonly boundOf: (queue: string) => QueueBound | undefined;
  /** Milliseconds of hub time that any entry may wait at most; undefined: for ever. */
  readonly ttl: number | undefined;
  /** Least milliseconds between two commits that hardly fill a block of the disk. */
  readonly commitWindow: number;
};

export type StoreSettings = StoreBounds & {
  /** Made if it is not there. */
  readonly folder: string;
  /** Bytes of memory that messages may take while they wait for the disk. */
  readonly maxPendingBytes: number;
  /** Counts bytes of bodies that drains read into memory: their buffers are garbage soon. */
  readonly countRead: (bytes: number) => void;
  readonly clock: Clock;
  readonly resources: Pick<Resources, 'retained' | 'retainedBytes'>;
  readonly log: Log;
};

export type QueueStats = {
  readonly queue: string;
  readonly depth: number;
  /** Bytes of disk that its messages take. */
  readonly bytes: number;
  /** Milliseconds of hub time that the oldest entry has waited; undefined: empty. */
  readonly oldestMs: number | undefined;
};

/** An entry as it waits, for people to look at; the message is undefined if it is damaged. */
export type WaitingEntry = {
  readonly priority: number;
  readonly sequence: number;
  readonly message: Message | undefined;
  /** Milliseconds of hub time that it has waited, and that are left to it. */
  readonly waited: number;
  readonly remaining: number | undefined;
};

/** Where an entry stands in its queue. */
export type EntryPosition = Pick<WaitingEntry, 'priority' | 'sequence'>;

/** A message that left its queue undelivered and is kept for people to decide on; lists are oldest first. */
export type DeadLetter = {
  /** Names the letter: what `replay` and `drop` take. */
  readonly id: string;
  readonly queue: string;
  readonly priority: number;
  readonly reason: string;
  /** Milliseconds of hub time since it died. */
  readonly age: number;
  /** Undefined: its bytes are damaged, and are kept as they are. */
  readonly message: Message | undefined;
};

export type DeadLetters = {
  readonly list: () => DeadLetter[];
  /** Puts a letter back at the end of its queue; Failure `letter.unknown`, `letter.damaged`, `store.full`. */
  readonly replay: (id: string, onDurable: OnDurable) => void;
  /** Forgets a letter; Failure `letter.unknown`. */
  readonly drop: (id: string, onDurable: OnDurable) => void;
};

/** A message that is kept for those who subscribe later (MQTT 5, 3.3.1.3). */
export type RetainedMessage = {
  /** Marked as retained. */
  readonly message: Message;
  /** Milliseconds of hub time left to it; undefined: no limit. */
  readonly remaining: number | undefined;
};

/** A retained message as it is listed. */
export type RetainedEntry = {
  readonly topic: string;
  readonly holder: Holder;
  /** Bytes of its stored form. */
  readonly bytes: number;
  /** Milliseconds of hub time since it was set; undefined: an older hub has kept it. */
  readonly age: number | undefined;
  /** Milliseconds of hub time left to it; undefined: no limit. */
  readonly remaining: number | undefined;
};

/** One message by topic, bounded in number and bytes by the shares of their holders. */
export type RetainedMessages = {
  /**
   * Keeps a message of a holder in place of the one of its topic; one with an empty body only takes that away. `settle` once
   * this is on disk; Failure `store.full` if there is no room for it, or its topic is too long, `store.write`: then
   * all is as it was.
   */
  readonly set: (message: Message, holder: Holder, onDurable: OnDurable) => void;
  /** Forgets the message of a topic. */
  readonly clear: (topic: string, onDurable: OnDurable) => void;
  readonly list: () => RetainedEntry[];
  /** Undefined: there is none, or it has expired. */
  readonly get: (topic: string) => RetainedMessage | undefined;
  /** The topics that have one and begin with `prefix`, in order. */
  readonly topics: (prefix: string) => string[];
  readonly count: () => number;
  readonly bytes: () => number;
};

/** Why an entry left its queue, and what the store cost, since the hub started. */
export type StoreCounts = {
  appended: number;
  acknowledged: number;
  /** Acknowledged by every destination before its commit: never written. */
  spared: number;
  expired: number;
  purged: number;
  /** Taken away to make room (`dropOldest`). */
  overflowed: number;
  /** Refused by the receiver, or failed too often: now among the dead letters. */
  dead: number;
  /** Damaged on disk: now among the dead letters. */
  corrupt: number;
  /** Not taken in: no room, or the disk failed. */
  refused: number;
  commits: number;
  checkpoints: number;
  /** Bytes of message bodies appended, and bytes written to the file system for them. */
  payload: number;
  written: number;
};

/** How the store is doing, in words for `check` and `ps`. */
export type StoreHealth = {
  readonly state: 'working' | 'full' | 'failing';
  /** Set unless it is working. */
  readonly reason: string | undefined;
  /** Bytes of disk in use, and the bound. */
  readonly usedBytes: number;
  readonly maxBytes: number;
  readonly letters: number;
  /** The folder that holds a damaged store which was set aside at the start, if one was. */
  readonly setAside: string | undefined;
};

/** Durable queues and small settled state. Nothing of the database underneath shows. */
export type Store = {
  /**
   * High while as much as may be waits for the disk. Callers stop reading what they append from; what is appended all the
   * same is kept.
   */
  readonly pressure: Pressure;
  /**
   * Appends one message to several queues at once. `settle` is called without error once every destination
   * has either acknowledged it or has it flushed to disk; with Failure `store.full` or `store.write` if it
   * was not kept in any.
   *
   * At QoS 2, or with a `note`, the message is firm: it and the note are committed together, those of all firm appends of one
   * synchronous stretch included, so that a crash leaves either all or nothing. No receiver is offered it before,
   * nor what comes behind it at its priority, and `settle` waits for that commit. An error leaves no note behind.
   * A message that is appended in parts has the same note with each of them.
   */
  readonly append: (
    message: Message,
    destinations: readonly Destination[],
    onDurable: OnDurable,
    note?: MetadataEntry,
  ) => void;
  readonly drain: (queue: string, settings: DrainSettings) => Drain;
  /** The first `limit` entries of a queue, or those behind `after`, in the order they would be sent; none is taken. */
  readonly peek: (queue: string, limit: number, after?: EntryPosition) => WaitingEntry[];
  /** Sequences of the first `count` entries of each priority, those whose time is over and that are not swept yet among them. */
  readonly heads: (queue: string, count: number) => number[];
  /** Forgets one entry, counted as purged; Failure `entry.unknown` if it is not there, or with its receiver. */
  readonly drop: (queue: string, sequence: number, onDurable: OnDurable) => void;
  /** From now on a queue counts in the share of its holder, until it is purged. */
  readonly assignShare: (queue: string, share: QueueShare) => void;
  /** Forgets a queue and all it holds, counted as purged; the space comes back in bounded steps. */
  readonly purge: (queue: string) => void;
  readonly deadLetters: DeadLetters;
  readonly retained: RetainedMessages;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  /** Counts milliseconds during which the hub was down in the lifetimes of what waits. */
  readonly advance: (milliseconds: number) => void;
  /** From now on these bounds hold; what waits already keeps the time it was given. */
  readonly setBounds: (bounds: StoreBounds) => void;
  /**
   * Settled state: the newest value under a name; undefined deletes it. A name of more than
   * MAX_NAME_BYTES is refused with Failure `store.write`.
   */
  readonly put: (name: string, value: Buffer | undefined, onDurable: OnDurable) => void;
  /** Commits what is gathered now, and not when a commit is worth it: for what is rare and waited for. */
  readonly flushSoon: () => void;
  readonly get: (name: string) => Buffer | undefined;
  /** Names that begin with `prefix`, in order. */
  readonly names: (prefix: string) => string[];
  readonly stats: () => QueueStats[];
  /** The same of one queue; undefined if there is none. */
  readonly statsOf: (queue: string) => QueueStats | undefined;
  /** Entries of a queue and bytes of disk that they take: nothing is read. */
  readonly sizeOf: (queue: string) => Pick<QueueStats, 'depth' | 'bytes'>;
  readonly counts: () => Readonly<StoreCounts>;
  readonly health: () => StoreHealth;
  /** Commits what is gathered, then closes. */
  readonly close: () => Promise<void>;
};
