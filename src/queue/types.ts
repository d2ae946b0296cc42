import type { Message, Settle } from '../core/message.ts';

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

/** A message on its way out of a queue. */
export type Entry = {
  readonly message: Message;
  readonly priority: number;
  readonly sequence: number;
  /** Milliseconds of hub time left to it; undefined: no limit. */
  readonly remaining: number | undefined;
  /** True if an earlier drain of this run of the hub may have sent it already. */
  readonly redelivered: boolean;
};

/** A consumer of one queue, at most one per queue at a time. It sends nothing before its first `wake`. */
export type Drain = {
  /** The receiver has the entry for good: it leaves the queue. Unknown entries are ignored. */
  readonly acknowledge: (entry: Entry) => void;
  /** Looks for more to send: call it when the receiver can take more again. */
  readonly wake: () => void;
  /** Ends the drain; what was not acknowledged is first in line for the next one. */
  readonly stop: () => void;
};

export type DrainSettings = {
  /** How many entries may be sent and not yet acknowledged. */
  readonly window: number;
  /** Takes one entry; false: not now, offer it again at the next `wake`. */
  readonly send: (entry: Entry) => boolean;
};

export type QueueStats = {
  readonly queue: string;
  readonly depth: number;
  /** Bytes of bodies and entries, as counted against `maxSize`. */
  readonly bytes: number;
  /** Milliseconds of hub time that the oldest entry has waited; undefined: empty. */
  readonly oldest: number | undefined;
};

/** How messages left their queues, and what it cost, since the hub started. */
export type StoreCounts = {
  appended: number;
  acknowledged: number;
  /** Acknowledged by every destination before the commit: never written. */
  spared: number;
  expired: number;
  purged: number;
  corrupt: number;
  refused: number;
  commits: number;
  /** Bytes of message bodies written. */
  written: number;
};

/** Durable queues and small settled state. Nothing of the database underneath shows. */
export type Store = {
  /**
   * Appends one message to several queues at once. `settle` is called without error once every destination
   * has either acknowledged it or has it flushed to disk; with Failure `store.full` or `store.write` if it
   * was not kept in any.
   */
  readonly append: (message: Message, destinations: readonly Destination[], settle: Settle) => void;
  readonly drain: (queue: string, settings: DrainSettings) => Drain;
  /** Forgets a queue and all it holds, counted as purged; the space comes back in bounded steps. */
  readonly purge: (queue: string) => void;
  /** Settled state: the newest value under a name; undefined deletes it. */
  readonly put: (name: string, value: Buffer | undefined, settle: Settle) => void;
  readonly get: (name: string) => Buffer | undefined;
  /** Names that begin with `prefix`, in order. */
  readonly names: (prefix: string) => string[];
  readonly stats: () => QueueStats[];
  readonly counts: () => Readonly<StoreCounts>;
  /** Commits what is gathered, then closes. */
  readonly close: () => Promise<void>;
};
