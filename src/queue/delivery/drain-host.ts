import type { OnDurable } from '../../core/message.ts';
import type { Database } from '../disk/database.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import type { Attempts } from './attempts.ts';

/** Why an entry leaves its queue. */
export type RemovalReason = 'acknowledged' | 'expired' | 'purged' | 'overflowed' | 'dead' | 'corrupt';

/** What a drain needs of its store. */
export type DrainHost = {
  readonly database: Database;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  readonly remove: (removed: RemovedEntry, reason: RemovalReason, onDurable?: OnDurable) => void;
  /** Takes an entry to the dead letters. */
  readonly deadLetter: (removed: RemovedEntry, kind: 'dead' | 'corrupt', reason: string) => void;
  /** Counts bytes of bodies that were read into memory. */
  readonly countRead: (bytes: number) => void;
  /** Every entry up to this sequence may have been sent by a run that did not end cleanly. */
  readonly anySentUpTo: number;
  /** True while as many removals as may be wait for the disk: nothing is sent meanwhile. */
  readonly saturated: () => boolean;
  readonly attempts: Pick<Attempts, 'add'>;
  /** Notes an exception of the receiver of `queue`, which was contained. */
  readonly onException: (queue: string, thrown: unknown) => void;
  /** Runs `action` in a later turn of the loop, after `milliseconds`. */
  readonly later: (action: () => void, milliseconds?: number) => void;
};
