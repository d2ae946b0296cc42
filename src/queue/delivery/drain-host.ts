import type { OnDurable } from '../../core/message.ts';
import type { Database } from '../disk/database.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import type { Attempts } from './attempts.ts';

/** Reason why an entry is removed from its queue. */
export type RemovalReason = 'acknowledged' | 'expired' | 'purged' | 'overflowed' | 'dead' | 'corrupt';

/** Functions of the store that a drain calls. */
export type DrainHost = {
  readonly database: Database;
  /** Returns hub time (the hub's own clock for TTLs) in milliseconds. */
  readonly now: () => number;
  readonly remove: (removed: RemovedEntry, reason: RemovalReason, onDurable?: OnDurable) => void;
  /** Moves an entry to the dead letters. */
  readonly deadLetter: (removed: RemovedEntry, kind: 'dead' | 'corrupt', reason: string) => void;
  /** Counts bytes of message bodies that were read into memory. */
  readonly countRead: (bytes: number) => void;
  /**
   * Entries up to this sequence are sent as redeliveries. An earlier hub process has possibly sent them
   * before it crashed.
   */
  readonly anySentUpTo: number;
  /**
   * True if the number of removals that wait for the disk is at its maximum. The drain then sends nothing.
   */
  readonly saturated: () => boolean;
  readonly attempts: Pick<Attempts, 'add'>;
  /** Reports an exception that the receiver of `queue` threw. The exception does not end the hub. */
  readonly onException: (queue: string, thrown: unknown) => void;
  /** Runs `action` in a later turn of the event loop, after `milliseconds`. */
  readonly later: (action: () => void, milliseconds?: number) => void;
};
