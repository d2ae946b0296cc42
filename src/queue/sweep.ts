import { SWEEP_ENTRIES } from '../core/limits.ts';
import type { Database } from './database.ts';
import type { Reason, Release } from './drain.ts';
import type { QueueState } from './ledger.ts';
import { PRIORITIES } from './types.ts';

/** Entries read at a time: most sweeps find that the first one has not expired. */
const STEP = 32;

export type SweepHost = {
  readonly database: Database;
  readonly now: () => number;
  readonly release: (release: Release) => void;
};

/**
 * Lets go of a queue's expired entries, or of all entries of a retired one, from its heads on and at most
 * SWEEP_ENTRIES at a priority, so that no consumer is needed for space to come back.
 */
export function sweep(queue: QueueState, host: SweepHost): void {
  if (queue.storedDepth === 0) return;
  for (let priority = 0; priority < PRIORITIES; priority++) sweepPriority(queue, priority, host);
}

function sweepPriority(queue: QueueState, priority: number, host: SweepHost): void {
  const reason: Reason = queue.retired ? 'purged' : 'expired';
  let after = 0;
  for (let looked = 0; looked < SWEEP_ENTRIES; looked += STEP) {
    const batch = host.database.entries(queue.id, priority, after, STEP);
    for (const { sequence, expires, bodyBytes } of batch) {
      after = sequence;
      if (queue.removing.has(sequence) || queue.consumer?.passed(priority, sequence)) continue;
      if (!queue.retired && (expires === 0 || expires > host.now())) return;
      host.release({ queue, priority, sequence, size: bodyBytes, held: undefined, reason });
    }
    if (batch.length < STEP) return;
  }
}
