import type { OnDurable } from '../../core/message.ts';
import type { Database } from '../disk/database.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import type { Attempts } from './attempts.ts';

/** Reason why an entry leaves its queue. */
export type RemovalReason = 'acknowledged' | 'expired' | 'purged' | 'overflowed' | 'dead' | 'corrupt';

/** Functions of the store that a drain calls. */
export type DrainHost = {
  readonly database: Database;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  readonly remove: (removed: RemovedEntry, reason: RemovalReason, onDurable?: OnDurable) => void;
  /** Moves an entry to the dead letters. */
  readonly deadLetter: (removed: RemovedEntry, kind: 'dead' | 'corrupt', reason: string) => void;
  /** Counts bytes of bodies that were read into memory. */
  readonly countRead: (bytes: number) => void;
  /** Sequence up to which a run that did not end cleanly may have sent every entry. */
  readonly anySentUpTo: number;
  /** True while the removals that wait for the disk are at their bound; nothing is sent meanwhile. */
  readonly saturated: () => boolean;
  readonly attempts: Pick<Attempts, 'add'>;
  /** Reports a contained exception of the receiver of `queue`. */
  readonly onException: (queue: string, thrown: unknown) => void;
  /** Runs `action` in a later turn of the event loop, after `milliseconds`. */
  readonly later: (action: () => void, milliseconds?: number) => void;
};
