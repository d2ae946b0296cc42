import type { Database } from '../disk/database.ts';
import type { StoreWriter } from '../disk/writer.ts';
import type { LaneEntry, QueueState } from '../entries/queue-state.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import { whereStored } from '../entries/removed-entry.ts';
import type { Batch } from './batch.ts';
import type { ByLane } from './pack-chunks.ts';
import { addToLane, isInline, packWaiting } from './pack-chunks.ts';

/**
 * Changes that a checkpoint makes in LMDB. Once the checkpoint is on disk, the state in memory is updated
 * accordingly.
 */
export type CheckpointResult = {
  /** Changes of the depth and the bytes of each queue. */
  readonly changes: ReadonlyMap<QueueState, Change>;
  /** Purged queues whose records were deleted because the queues are empty. */
  readonly deletedQueues: readonly QueueState[];
  /** Entries whose messages LMDB stores inline, in the chunks of the entries. */
  readonly inline: readonly LaneEntry[];
  /** Entries whose messages LMDB stores in the table `bodies`. */
  readonly outside: readonly LaneEntry[];
};

export type Change = { depth: number; bytes: number };

/** Writes a batch to LMDB. Does not change the state in memory, because the transaction can still fail. */
export function applyCheckpoint(moves: Batch, writer: StoreWriter, database: Database): CheckpointResult {
  const changes = new Map<QueueState, Change>();
  const inline: LaneEntry[] = [];
  const outside: LaneEntry[] = [];
  const count = (queue: QueueState, depth: number, bytes: number): void => {
    const change = changes.get(queue) ?? { depth: 0, bytes: 0 };
    change.depth += depth;
    change.bytes += bytes;
    changes.set(queue, change);
  };
  packWaiting(moves.appends, writer, entry => {
    (isInline(entry.pending) ? inline : outside).push(entry);
    count(entry.queue, 1, entry.bytes);
  });
  removeEntries(moves.removals, writer, database, ({ queue, bytes }) => count(queue, -1, -bytes));
  for (const queue of moves.retired) count(queue, 0, 0);
  for (const [name, value] of moves.metadata) writer.putMetadata(name, value);
  return { changes, deletedQueues: putQueues(changes, writer), inline, outside };
}

function removeEntries(
  removals: readonly RemovedEntry[],
  writer: StoreWriter,
  database: Database,
  onRemoved: (removed: RemovedEntry) => void,
): void {
  const holders = new Map<number, number>();
  const lanes: ByLane<number> = new Map();
  for (const removed of removals) {
    const where = whereStored(removed);
    if (where === undefined) continue;
    const { queue, priority, sequence, expires, indexed } = removed;
    if (indexed) writer.removeExpiry(expires, { queue: queue.id, priority, sequence });
    if (where === 'index') continue;
    addToLane(lanes, queue, priority, sequence);
    if (where === 'outside') {
      holders.set(sequence, (holders.get(sequence) ?? database.holders(sequence)) - 1);
    }
    onRemoved(removed);
  }
  for (const [queue, lists] of lanes) {
    for (const [priority, list] of lists.entries()) {
      if (list !== undefined) writer.removeEntries(queue.id, priority, list.sort(byNumber));
    }
  }
  for (const [sequence, count] of holders) writer.setHolders(sequence, count);
}

function byNumber(one: number, other: number): number {
  return one - other;
}

function putQueues(changes: ReadonlyMap<QueueState, Change>, writer: StoreWriter): QueueState[] {
  const deletedQueues: QueueState[] = [];
  for (const [queue, change] of changes) {
    const { id, name, retired } = queue;
    const depth = queue.storedDepth + change.depth;
    if (retired && depth === 0 && queue.depth === 0) {
      writer.removeQueue(id);
      deletedQueues.push(queue);
    } else {
      writer.putQueue(id, {
        name,
        retired,
        depth,
        bytes: depth === 0 ? 0 : queue.storedBytes + change.bytes,
      });
    }
  }
  return deletedQueues;
}
