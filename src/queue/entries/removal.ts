import type { OnDurable } from '../../core/message.ts';
import type { Checkpoints } from '../commit/checkpoint.ts';
import type { Committer } from '../commit/committer.ts';
import type { Attempts } from '../delivery/attempts.ts';
import type { DeadLetterStore } from '../delivery/dead-letters.ts';
import type { RemovalReason } from '../delivery/drain-host.ts';
import type { Database } from '../disk/database.ts';
import { encodeRecord } from '../record/record-encode.ts';
import type { StoreCounts } from '../types.ts';
import type { DiskUsage } from './disk-usage.ts';
import type { Pending } from './queue-state.ts';
import { notifySender, release, subtract } from './queue-state.ts';
import type { RemovedEntry } from './removed-entry.ts';
import { recordIn } from './removed-entry.ts';

export type RemovalHost = {
  readonly database: Database;
  readonly committer: Committer;
  readonly checkpoints: Checkpoints;
  readonly usage: DiskUsage;
  readonly counts: StoreCounts;
  readonly deadLetters: () => DeadLetterStore;
  readonly attempts: () => Pick<Attempts, 'forget'>;
  readonly closed: () => boolean;
};

/** Removes entries from their queues, each entry once, and counts the removals by reason. */
export type Removal = {
  /**
   * Removes an entry. Calls `onDurable` when the removal is on disk and the entry cannot reappear after a
   * crash.
   */
  readonly remove: (removed: RemovedEntry, reason: RemovalReason, onDurable?: OnDurable) => void;
  /**
   * Moves an entry to the dead letters. The dead letter is written before the entry is removed from its
   * queue, or in the same commit.
   */
  readonly deadLetter: (removed: RemovedEntry, kind: 'dead' | 'corrupt', reason: string) => void;
};

export function createRemoval(host: RemovalHost): Removal {
  const { database, committer, checkpoints, usage, counts, deadLetters, attempts, closed } = host;

  const countRemoval = (removed: RemovedEntry, reason: RemovalReason): void => {
    const { queue, sequence, bytes, laneEntry } = removed;
    attempts().forget(queue, sequence);
    counts[reason]++;
    if (laneEntry === undefined) subtract(queue, bytes);
    else release(laneEntry);
    if (laneEntry?.pending.openCount === 0) usage.release(laneEntry.pending);
  };

  /**
   * Notifies the sender if the message was removed from all queues before its commit. Such a message needs no
   * commit. Messages that must be committed before their delivery are excluded.
   */
  const notifyIfReleased = (pending: Pending): void => {
    const { openCount, openLetters: lettersPending, stage, durableFirst } = pending;
    if (stage === 'gathering' && openCount === 0 && lettersPending === 0 && !durableFirst)
      notifySender(pending);
  };

  const removeFromDisk = (
    removed: RemovedEntry,
    reason: RemovalReason,
    onDurable: OnDurable | undefined,
  ): void => {
    removed.queue.removing.set(removed.sequence, true);
    usage.noteRemoved(removed);
    // Removes an expired or purged entry without a commit. After a crash, such an entry is removed again.
    if (reason === 'expired' || removed.queue.retired) checkpoints.remove(removed);
    else committer.remove(removed, onDurable);
  };

  const remove = (removed: RemovedEntry, reason: RemovalReason, onDurable?: OnDurable): void => {
    const { laneEntry } = removed;
    if (laneEntry?.open === false) {
      // A failed commit possibly wrote data to the disk, so the entry could reappear after a crash. The next
      // commit overwrites this data.
      if (onDurable !== undefined && laneEntry.pending.stage === 'failed') committer.confirm(onDurable);
      else onDurable?.();
      return;
    }
    countRemoval(removed, reason);
    if (laneEntry?.pending.stage !== 'gathering') {
      removeFromDisk(removed, reason, onDurable);
      return;
    }
    if (laneEntry.pending.openCount === 0 && reason === 'acknowledged') counts.spared++;
    notifyIfReleased(laneEntry.pending);
    onDurable?.();
  };

  /** Returns the encoded message of an entry. */
  const bytesOf = (removed: RemovedEntry): Buffer => {
    const message = removed.laneEntry?.pending.message;
    if (message !== undefined) return encodeRecord(message);
    return recordIn(removed, database) ?? Buffer.alloc(0);
  };

  /** Stores a dead letter. Tries again if the commit fails. */
  const storeDeadLetter = (
    removed: RemovedEntry,
    reason: string,
    record: Buffer,
    onStored: () => void,
  ): void => {
    deadLetters().add(removed, reason, record, error => {
      if (error === undefined) onStored();
      else if (!closed()) storeDeadLetter(removed, reason, record, onStored);
    });
  };

  return {
    remove,
    deadLetter: (removed, kind, reason) => {
      const pending = removed.laneEntry?.pending;
      if (removed.laneEntry?.open === false) return;
      const record = bytesOf(removed);
      if (pending?.stage === 'gathering') {
        countRemoval(removed, kind);
        pending.openLetters++;
        storeDeadLetter(removed, reason, record, () => {
          pending.openLetters--;
          notifyIfReleased(pending);
        });
      } else {
        storeDeadLetter(removed, reason, record, () => {});
        remove(removed, kind);
      }
    },
  };
}
