import { INLINE_BYTES } from '../../core/limits.ts';
import type { Database } from '../disk/database.ts';
import type { Place } from '../disk/tables.ts';
import type { Writer } from '../disk/writer.ts';
import type { Leaving } from '../entries/leaving.ts';
import { whereStored } from '../entries/leaving.ts';
import type { Held, Pending, QueueState } from '../entries/ledger.ts';
import type { Batch } from './batch.ts';
import { recordOf } from './content.ts';

/** What a checkpoint did, to be noted once it is on disk. */
export type Outcome = {
  /** How the figures of queues changed; those that are gone for good. */
  readonly changes: ReadonlyMap<QueueState, Change>;
  readonly gone: readonly QueueState[];
  /** Holds that are in LMDB now, and where. */
  readonly stored: readonly { readonly held: Held; readonly where: 'inline' | 'outside' }[];
};

export type Change = { depth: number; bytes: number };

/** Names to `writer` what brings LMDB up to date with `moves`. It changes nothing in memory: it may yet fail. */
export function applyMoves(moves: Batch, writer: Writer, database: Database): Outcome {
  const changes = new Map<QueueState, Change>();
  const stored: { held: Held; where: 'inline' | 'outside' }[] = [];
  const count = (queue: QueueState, depth: number, bytes: number): void => {
    const change = changes.get(queue) ?? { depth: 0, bytes: 0 };
    change.depth += depth;
    change.bytes += bytes;
    changes.set(queue, change);
  };
  for (const pending of moves.appends) {
    const where = putMessage(pending, writer);
    for (const held of pending.held) {
      if (!held.open) continue;
      stored.push({ held, where });
      count(held.queue, 1, held.bytes);
    }
  }
  removeEntries(moves.removals, writer, database, ({ queue, bytes }) => count(queue, -1, -bytes));
  for (const queue of moves.retired) count(queue, 0, 0);
  for (const [name, value] of moves.settled) writer.putSettled(name, value);
  return { changes, gone: putQueues(changes, writer), stored };
}

/** Puts the entries of a message, and its body with the only one or, once, aside. */
function putMessage(pending: Pending, writer: Writer): 'inline' | 'outside' {
  const holds = pending.held.filter(held => held.open);
  if (holds.length === 0) return 'inline';
  const record = recordOf(pending);
  const { sequence, arrived } = pending;
  const inline = holds.length === 1 && record.length <= INLINE_BYTES;
  if (!inline) writer.putBody(sequence, record, holds.length);
  for (const { queue, priority, expires, ceiling, bytes } of holds) {
    const place = { queue: queue.id, priority, sequence };
    writer.putEntry(place, { expires, ceiling, arrived, bytes }, inline ? record : undefined);
    if (expires < ceiling) writer.putExpiry(expires, place);
  }
  return inline ? 'inline' : 'outside';
}

function removeEntries(
  removals: readonly Leaving[],
  writer: Writer,
  database: Database,
  removed: (leaving: Leaving) => void,
): void {
  const holders = new Map<number, number>();
  for (const leaving of removals) {
    const where = whereStored(leaving);
    if (where === undefined) continue;
    const { queue, priority, sequence, expires, ceiling } = leaving;
    const place: Place = { queue: queue.id, priority, sequence };
    if (expires < ceiling) writer.removeExpiry(expires, place);
    if (where === 'index') continue;
    writer.removeEntry(place);
    if (where === 'outside') {
      holders.set(sequence, (holders.get(sequence) ?? database.holders(sequence)) - 1);
    }
    removed(leaving);
  }
  for (const [sequence, count] of holders) writer.setHolders(sequence, count);
}

function putQueues(changes: ReadonlyMap<QueueState, Change>, writer: Writer): QueueState[] {
  const gone: QueueState[] = [];
  for (const [queue, change] of changes) {
    const { id, name, retired } = queue;
    const depth = queue.storedDepth + change.depth;
    if (retired && depth === 0 && queue.depth === 0) {
      writer.removeQueue(id);
      gone.push(queue);
    } else {
      writer.putQueue(id, {
        name,
        retired,
        depth,
        bytes: depth === 0 ? 0 : queue.storedBytes + change.bytes,
      });
    }
  }
  return gone;
}
