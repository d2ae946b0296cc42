import type { Batch } from '../commit/batch.ts';
import type { Database } from '../disk/database.ts';
import type { Journal } from '../disk/journal.ts';
import { ENTRY_OVERHEAD } from '../disk/layout.ts';
import type { Leaving } from './leaving.ts';
import { whereStored } from './leaving.ts';
import type { Pending } from './ledger.ts';

/**
 * Bytes of disk in use: pages of LMDB, both journals, and what is set aside for messages on their way into
 * LMDB, less what has left and is still in its pages. LMDB counts its pages, so nothing is lost by a restart.
 */
export type Usage = {
  /** With what the journals will have grown by, and `more` bytes of appends in them. */
  readonly used: (more?: number) => number;
  /** A message comes in. */
  readonly reserve: (pending: Pending) => void;
  /** A commit has written them. */
  readonly committed: (appends: readonly Pending[]) => void;
  /** No queue holds it any more, or it was not kept. */
  readonly release: (pending: Pending) => void;
  /** An entry has left its queue. */
  readonly leave: (leaving: Leaving) => void;
  /** A checkpoint has written `moves`. */
  readonly checkpointed: (moves: Batch) => void;
};

/** `recovered`: what journals held at the start. */
export function createUsage(database: Database, journal: Journal, recovered: Batch): Usage {
  /** Entries of a body that have left, where several queues hold it. */
  const left = new Map<number, number>();
  let pages = database.usedBytes();
  let reserved = 0;
  let freed = 0;
  /** Bytes of appends on their way to the journal. */
  let coming = 0;

  const arrive = (pending: Pending): void => {
    coming -= pending.coming;
    pending.coming = 0;
  };

  const release = (pending: Pending): void => {
    reserved -= pending.reserved;
    pending.reserved = 0;
    arrive(pending);
  };

  /** The body counts with the last of its entries. */
  const bytesFreed = (leaving: Leaving): number => {
    const where = whereStored(leaving);
    if (where === undefined || where === 'index') return 0;
    if (where === 'inline') return leaving.bytes;
    const { sequence, bytes } = leaving;
    const holders = database.holders(sequence);
    if (holders === 1) return bytes;
    const gone = (left.get(sequence) ?? 0) + 1;
    if (gone < holders) left.set(sequence, gone);
    else left.delete(sequence);
    return gone < holders ? ENTRY_OVERHEAD : bytes;
  };

  const reserve = (pending: Pending): void => {
    reserved += pending.reserved;
    coming += pending.coming;
  };

  const leave = (leaving: Leaving): void => {
    leaving.freed = bytesFreed(leaving);
    freed += leaving.freed;
  };

  for (const pending of recovered.appends) {
    pending.coming = 0;
    if (pending.open > 0) reserve(pending);
  }
  for (const leaving of recovered.removals) leave(leaving);

  return {
    used: (more = 0) => Math.max(0, pages + journal.bytes(coming + more) + reserved - freed),
    reserve,
    committed: appends => {
      for (const pending of appends) arrive(pending);
    },
    release,
    leave,
    checkpointed: moves => {
      for (const pending of moves.appends) release(pending);
      for (const leaving of moves.removals) {
        freed -= leaving.freed;
        left.delete(leaving.sequence);
      }
      pages = database.usedBytes();
    },
  };
}
