import type { Batch } from '../commit/batch.ts';
import type { Database } from '../disk/database.ts';
import { ENTRY_OVERHEAD } from '../disk/layout.ts';
import type { Journal } from '../journal/journal.ts';
import type { Pending } from './queue-state.ts';
import type { RemovedEntry } from './removed-entry.ts';
import { whereStored } from './removed-entry.ts';

/**
 * Bytes of disk in use: LMDB's pages, both journals, and the space reserved for messages that are not in LMDB
 * yet, minus the bytes of removed entries that are still in LMDB. LMDB counts its pages itself, so the count
 * is correct after a restart.
 */
export type DiskUsage = {
  /** Returns the bytes in use. Includes the growth of the journals by `more` bytes of appends. */
  readonly used: (more?: number) => number;
  /** Reserves space for a message in the journal and in LMDB. */
  readonly reserve: (pending: Pending) => void;
  /** Ends the reservation of journal space for committed messages. */
  readonly committed: (appends: readonly Pending[]) => void;
  /** Ends all reservations of a message that was acknowledged or refused. */
  readonly release: (pending: Pending) => void;
  /** Counts the bytes of a removed entry as free. */
  readonly noteRemoved: (removed: RemovedEntry) => void;
  /** Updates the counts after a checkpoint has written `moves` to LMDB. */
  readonly checkpointed: (moves: Batch) => void;
};

/** Creates the counter. `recovered` is the content of the journals at the start. */
export function createDiskUsage(database: Database, journal: Journal, recovered: Batch): DiskUsage {
  /**
   * Number of removed entries of each message, by its sequence. Used for messages whose body is stored once
   * for several queues.
   */
  const removedCounts = new Map<number, number>();
  let pages = database.usedBytes();
  let reserved = 0;
  let freed = 0;
  /** Bytes reserved for appends that are not in the journal yet. */
  let journalReserved = 0;

  const noteCommitted = (pending: Pending): void => {
    journalReserved -= pending.journalReserved;
    pending.journalReserved = 0;
  };

  const release = (pending: Pending): void => {
    reserved -= pending.diskReserved;
    pending.diskReserved = 0;
    noteCommitted(pending);
  };

  /**
   * Returns the bytes that a removal frees. A body that several entries share is freed with the last of these
   * entries.
   */
  const bytesFreed = (removed: RemovedEntry): number => {
    const where = whereStored(removed);
    if (where === undefined || where === 'index') return 0;
    if (where === 'inline') return removed.bytes;
    const { sequence, bytes } = removed;
    const holders = database.holders(sequence);
    if (holders === 1) return bytes;
    const removedCount = (removedCounts.get(sequence) ?? 0) + 1;
    if (removedCount < holders) removedCounts.set(sequence, removedCount);
    else removedCounts.delete(sequence);
    return removedCount < holders ? ENTRY_OVERHEAD : bytes;
  };

  const reserve = (pending: Pending): void => {
    reserved += pending.diskReserved;
    journalReserved += pending.journalReserved;
  };

  const noteRemoved = (removed: RemovedEntry): void => {
    removed.freed = bytesFreed(removed);
    freed += removed.freed;
  };

  for (const pending of recovered.appends) {
    pending.journalReserved = 0;
    if (pending.openCount > 0) reserve(pending);
  }
  for (const removed of recovered.removals) noteRemoved(removed);

  return {
    used: (more = 0) => Math.max(0, pages + journal.bytes(journalReserved + more) + reserved - freed),
    reserve,
    committed: appends => {
      for (const pending of appends) noteCommitted(pending);
    },
    release,
    noteRemoved,
    checkpointed: moves => {
      for (const pending of moves.appends) release(pending);
      for (const removed of moves.removals) {
        freed -= removed.freed;
        removedCounts.delete(removed.sequence);
      }
      pages = database.usedBytes();
    },
  };
}
