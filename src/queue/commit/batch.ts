import type { OnDurable } from '../../core/message.ts';
import type { Pending, QueueState } from '../entries/queue-state.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';

/** What the next commit will do. */
export type Batch = {
  appends: Pending[];
  removals: RemovedEntry[];
  metadata: Map<string, Buffer | undefined>;
  /** Queues retired by a purge. */
  retired: QueueState[];
  /** Who waits for the removals and the settled state. */
  callbacks: OnDurable[];
};

export function emptyBatch(): Batch {
  return { appends: [], removals: [], metadata: new Map(), retired: [], callbacks: [] };
}
