import type { Cancel, Clock } from '../../core/clock.ts';
import { Failure, reasonOf } from '../../core/errors.ts';
import type { Database } from '../disk/database.ts';
import type { QueueState } from '../entries/queue-state.ts';
import { dropStored } from '../entries/queue-state.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import { whereStored } from '../entries/removed-entry.ts';
import type { Journal } from '../journal/journal.ts';
import {
  CHECKPOINT_DELAY_MS,
  COMMIT_RETRY_MS,
  MAX_CHECKPOINT_ENTRIES,
  MAX_CHECKPOINT_REMOVALS,
} from '../limits.ts';
import type { CheckpointResult } from './apply-checkpoint.ts';
import { applyCheckpoint } from './apply-checkpoint.ts';
import type { Batch } from './batch.ts';
import { emptyBatch } from './batch.ts';
import type { CommitPlan } from './plan.ts';

export type CheckpointHost = {
  readonly clock: Clock;
  readonly database: Database;
  readonly journal: Journal;
  readonly salt: Buffer;
  /** Returns hub time (the hub's own clock for TTLs) in milliseconds. */
  readonly now: () => number;
  readonly lastSequence: () => number;
  readonly queues: () => Iterable<QueueState>;
  /** True while a queue contains an entry, or a retained message has an expiry. */
  readonly hasWaiting: () => boolean;
  /** Requests a commit of all gathered data. `begin` is called after this commit. */
  readonly flush: () => void;
  readonly succeeded: (outcome: CheckpointResult, moves: Batch) => void;
  readonly failed: (error: Failure) => void;
  /** Called when the journal can be written again. */
  readonly released: () => void;
};

/** Moves waiting messages from a full journal to LMDB, and deletes removed entries from LMDB. */
export type Checkpoints = {
  /** Adds the content of a commit to the next checkpoint. */
  readonly committed: (plan: CommitPlan) => void;
  /**
   * Removes an entry from LMDB without a commit. If a crash prevents the removal, the entry is removed again
   * after the restart, because it has expired or its queue was purged.
   */
  readonly remove: (removed: RemovedEntry) => void;
  /**
   * True while the journal must not be written, because both of its files contain entries that are not in
   * LMDB.
   */
  readonly blocked: () => boolean;
  /** True if a checkpoint is due. The next commit then includes all gathered data. */
  readonly due: () => boolean;
  /** Begins a checkpoint if one is due. Before the call, all gathered data must be committed. */
  readonly begin: () => void;
  /** True while the data for the next checkpoint is at its maximum. */
  readonly busy: () => boolean;
  /** Metadata that is not in LMDB yet, newest first. */
  readonly unwritten: () => readonly ReadonlyMap<string, Buffer | undefined>[];
  /** Resolves when no checkpoint is running. Resolves to false if LMDB cannot be written. */
  readonly whenIdle: () => Promise<boolean>;
  /**
   * Runs the last checkpoint. Resolves to true if all data is in LMDB. Resolves to false if some data is only
   * in the journals.
   */
  readonly close: () => Promise<boolean>;
};

/**
 * Creates the checkpoints. `recovered` is the content of the journals at the start of the hub. The first
 * checkpoint moves this content to LMDB, before the first commit.
 */
export function createCheckpoints(host: CheckpointHost, recovered: Batch | undefined): Checkpoints {
  const { clock, database, journal } = host;
  let collected = emptyBatch();
  let moving = recovered;
  let recovering = recovered !== undefined;
  let running: Promise<boolean> | undefined;
  let cancelRequest: Cancel | undefined;
  let requested = false;
  let closed = false;

  /**
   * Schedules a checkpoint that frees the disk space of removed entries. This checkpoint does not wait until
   * the journal is full.
   */
  const requestSoon = (): void => {
    cancelRequest ??= clock.after(CHECKPOINT_DELAY_MS, () => {
      cancelRequest = undefined;
      requestNow();
    });
  };

  const requestNow = (): void => {
    if (requested) return;
    requested = true;
    host.flush();
  };

  const begin = (): void => {
    cancelRequest?.();
    cancelRequest = undefined;
    requested = false;
    moving = collected;
    collected = emptyBatch();
    journal.rotate();
    running = writeMoves(moving, journal.generation() - 1);
  };

  const writeMoves = async (moves: Batch, generation: number): Promise<boolean> => {
    let outcome: CheckpointResult | undefined;
    let thrown: unknown;
    const lastSequence = host.lastSequence();
    try {
      await database.write(writer => {
        writer.putStore({ hubTime: host.now(), lastSequence, generation, salt: host.salt });
        outcome = applyCheckpoint(moves, writer, database);
      });
    } catch (error) {
      outcome = undefined;
      thrown = error;
    }
    running = undefined;
    if (outcome === undefined) {
      host.failed(new Failure('store.write', `The store cannot be written: ${reasonOf(thrown)}.`));
      clock.after(COMMIT_RETRY_MS, retry);
      return false;
    }
    moving = undefined;
    recovering = false;
    finish(outcome, moves);
    host.released();
    return true;
  };

  const retry = (): void => {
    if (moving !== undefined && running === undefined && !closed)
      running = writeMoves(moving, journal.generation() - 1);
  };

  const finish = (outcome: CheckpointResult, moves: Batch): void => {
    for (const entry of outcome.inline) entry.stored = 'inline';
    for (const entry of outcome.outside) entry.stored = 'outside';
    for (const { queue, sequence } of moves.removals) queue.removing.delete(sequence);
    for (const [queue, change] of outcome.changes) {
      queue.saved = true;
      queue.storedDepth += change.depth;
      queue.storedBytes = queue.storedDepth === 0 ? 0 : queue.storedBytes + change.bytes;
    }
    let last = 0;
    for (const pending of moves.appends) {
      last = Math.max(last, pending.sequence);
      pending.run = undefined;
    }
    dropStored(host.queues(), last);
    host.succeeded(outcome, moves);
  };

  /**
   * Adds metadata to the next checkpoint. A value that is set and deleted between two checkpoints is never
   * written to LMDB. Returns true if the checkpoint will delete a value from LMDB.
   */
  const collectMetadata = (metadata: CommitPlan['metadata']): boolean => {
    let freed = false;
    for (const [name, value] of metadata) {
      collected.metadata.set(name, value);
      if (value !== undefined) continue;
      if (database.hasMetadata(name)) freed = true;
      else if (moving?.metadata.get(name) === undefined) collected.metadata.delete(name);
    }
    return freed;
  };

  const checkpoints: Checkpoints = {
    committed: plan => {
      for (const pending of plan.appends) collected.appends.push(pending);
      for (const removed of plan.removals) collected.removals.push(removed);
      for (const queue of plan.retired) collected.retired.push(queue);
      const freed = collectMetadata(plan.metadata);
      if (moving !== undefined || freed || plan.removals.some(isStored)) requestSoon();
      if (isFull(collected) || journal.full()) requestNow();
    },
    remove: removed => {
      collected.removals.push(removed);
      if (isFull(collected)) requestNow();
      else requestSoon();
    },
    blocked: () => moving !== undefined && (recovering || journal.full() || isFull(collected)),
    due: () => requested && moving === undefined,
    begin: () => {
      if (requested && moving === undefined) begin();
    },
    busy: () => isFull(collected),
    unwritten: () => [collected.metadata, ...(moving === undefined ? [] : [moving.metadata])],
    whenIdle: async () => {
      retry();
      return (await running) ?? true;
    },
    close: async () => {
      await running;
      closed = true;
      cancelRequest?.();
      if (moving !== undefined) return false;
      // If entries wait, a checkpoint without data is still needed. It persists hub time (the clock for
      // TTLs).
      if (isEmpty(collected) && !host.hasWaiting()) return true;
      begin();
      return (await running) ?? false;
    },
  };
  retry();
  return checkpoints;
}

/** True if a checkpoint frees space in LMDB for the removed entry. */
function isStored(removed: RemovedEntry): boolean {
  return whereStored(removed) !== undefined;
}

function isEmpty({ appends, removals, metadata, retired }: Batch): boolean {
  return appends.length + removals.length + metadata.size + retired.length === 0;
}

function isFull({ appends, removals }: Batch): boolean {
  return appends.length >= MAX_CHECKPOINT_ENTRIES || removals.length >= MAX_CHECKPOINT_REMOVALS;
}
