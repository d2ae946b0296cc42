import type { Settle } from '../../core/message.ts';
import type { Checkpoints } from '../commit/checkpoint.ts';
import type { Committer } from '../commit/commit.ts';
import type { Database } from '../disk/database.ts';
import { encodeRecord } from '../disk/record.ts';
import type { StoreCounts } from '../types.ts';
import type { Attempts } from './attempts.ts';
import type { Reason } from './drain-host.ts';
import type { Leaving } from './leaving.ts';
import { recordIn } from './leaving.ts';
import type { Pending } from './ledger.ts';
import { letGo, takeOff, tellSender } from './ledger.ts';
import type { Letters } from './letters.ts';
import type { Usage } from './usage.ts';

export type DepartureHost = {
  readonly database: Database;
  readonly committer: Committer;
  readonly checkpoints: Checkpoints;
  readonly usage: Usage;
  readonly counts: StoreCounts;
  readonly letters: () => Letters;
  readonly attempts: () => Pick<Attempts, 'forget'>;
  /** True once the store takes nothing any more. */
  readonly closed: () => boolean;
};

/** How an entry leaves its queue: each one once, counted by its reason. */
export type Departure = {
  /** `settle` once a crash can no longer bring the entry back. */
  readonly release: (leaving: Leaving, reason: Reason, settle?: Settle) => void;
  /** To the dead letters, not later than in the commit that takes the entry out of its queue. */
  readonly bury: (leaving: Leaving, kind: 'dead' | 'corrupt', reason: string) => void;
};

export function createDeparture(host: DepartureHost): Departure {
  const { database, committer, checkpoints, usage, counts, letters, attempts, closed } = host;

  const leave = (leaving: Leaving, reason: Reason): void => {
    const { queue, sequence, bytes, held } = leaving;
    attempts().forget(queue, sequence);
    counts[reason]++;
    if (held === undefined) takeOff(queue, bytes);
    else letGo(held);
    if (held?.pending.open === 0) usage.release(held.pending);
  };

  /** A message that no queue holds any more needs no commit, unless it has a note: its sender is told. */
  const settleIfGone = (pending: Pending): void => {
    const { open, letters: underWay, stage, firm } = pending;
    if (stage === 'gathering' && open === 0 && underWay === 0 && !firm) tellSender(pending);
  };

  const removeFromDisk = (leaving: Leaving, reason: Reason, settle: Settle | undefined): void => {
    leaving.queue.removing.set(leaving.sequence, true);
    usage.leave(leaving);
    // What has expired or was purged would leave again by itself after a crash.
    if (reason === 'expired' || leaving.queue.retired) checkpoints.remove(leaving);
    else committer.remove(leaving, settle);
  };

  const release = (leaving: Leaving, reason: Reason, settle?: Settle): void => {
    const { held } = leaving;
    if (held?.open === false) {
      // Its commit failed, and may yet be on the disk: a crash could bring it back.
      if (settle !== undefined && held.pending.stage === 'failed') committer.confirm(settle);
      else settle?.();
      return;
    }
    leave(leaving, reason);
    if (held?.pending.stage !== 'gathering') {
      removeFromDisk(leaving, reason, settle);
      return;
    }
    if (held.pending.open === 0 && reason === 'acknowledged') counts.spared++;
    settleIfGone(held.pending);
    settle?.();
  };

  /** The bytes of an entry's message, as they are. */
  const bytesOf = (leaving: Leaving): Buffer => {
    const message = leaving.held?.pending.message;
    if (message !== undefined) return encodeRecord(message);
    return recordIn(leaving, database) ?? Buffer.alloc(0);
  };

  /** A letter whose commit failed is tried again. */
  const keep = (leaving: Leaving, reason: string, record: Buffer, kept: () => void): void => {
    letters().add(leaving, reason, record, error => {
      if (error === undefined) kept();
      else if (!closed()) keep(leaving, reason, record, kept);
    });
  };

  return {
    release,
    bury: (leaving, kind, reason) => {
      const pending = leaving.held?.pending;
      if (leaving.held?.open === false) return;
      const record = bytesOf(leaving);
      if (pending?.stage === 'gathering') {
        leave(leaving, kind);
        pending.letters++;
        keep(leaving, reason, record, () => {
          pending.letters--;
          settleIfGone(pending);
        });
      } else {
        keep(leaving, reason, record, () => {});
        release(leaving, kind);
      }
    },
  };
}
