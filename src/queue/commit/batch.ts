import type { OnDurable } from '../../core/message.ts';
import type { Pending, QueueState } from '../entries/queue-state.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';

/** Content of the next commit. */
export type Batch = {
  appends: Pending[];
  removals: RemovedEntry[];
  metadata: Map<string, Buffer | undefined>;
  /** Queues retired by a purge. */
  retired: QueueState[];
  /** Callbacks for the removals and the metadata. */
  callbacks: OnDurable[];
};

export function emptyBatch(): Batch {
  return { appends: [], removals: [], metadata: new Map(), retired: [], callbacks: [] };
}
