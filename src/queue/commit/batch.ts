import type { Settle } from '../../core/message.ts';
import type { Leaving } from '../entries/leaving.ts';
import type { Pending, QueueState } from '../entries/ledger.ts';

/** What the next commit will do. */
export type Batch = {
  appends: Pending[];
  removals: Leaving[];
  settled: Map<string, Buffer | undefined>;
  /** Queues retired by a purge. */
  retired: QueueState[];
  /** Who waits for the removals and the settled state. */
  settles: Settle[];
};

export function emptyBatch(): Batch {
  return { appends: [], removals: [], settled: new Map(), retired: [], settles: [] };
}
