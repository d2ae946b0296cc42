import type { OnDurable } from '../../core/message.ts';
import type { Pending, QueueState } from '../entries/queue-state.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';

/** Gathered data of the next commit or checkpoint. */
export type Batch = {
  appends: Pending[];
  removals: RemovedEntry[];
  metadata: Map<string, Buffer | undefined>;
  /** Queues that were purged. */
  retired: QueueState[];
  /** Callbacks for the removals and the metadata of the batch. */
  callbacks: OnDurable[];
};

export function emptyBatch(): Batch {
  return { appends: [], removals: [], metadata: new Map(), retired: [], callbacks: [] };
}
