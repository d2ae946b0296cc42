import type { Database } from '../disk/database.ts';
import { createPending, enqueue } from '../entries/enqueue.ts';
import type { Pending, QueueState } from '../entries/queue-state.ts';
import { release, subtract } from '../entries/queue-state.ts';
import type { Registry } from '../entries/registry.ts';
import { removedEntryOf } from '../entries/removed-entry.ts';
import type { JournalRun, RunAppend } from '../journal/run.ts';
import type { Batch } from './batch.ts';
import { emptyBatch } from './batch.ts';

/** Content of the journals. LMDB does not contain this content yet. */
export type RecoveredState = {
  /** Content of the first checkpoint. */
  readonly batch: Batch;
  /** Highest sequence in the journals. 0 if the journals contain no message. */
  readonly lastSequence: number;
  /** Latest hub time (clock for TTLs) in the journals, in milliseconds. 0 if the journals are empty. */
  readonly hubTime: number;
  /**
   * Number of messages with an unknown queue. A queue is unknown if the run (records of one commit) with its
   * name is damaged.
   */
  readonly corrupt: number;
};

const noSender = (): void => {};

/**
 * Restores the content of the journals in memory. A run is the records of one commit. The time grows with the
 * number of runs, not with the number of entries in LMDB.
 */
export function recover(runs: readonly JournalRun[], registry: Registry, database: Database): RecoveredState {
  const batch = emptyBatch();
  const bySequence = new Map<number, Pending>();
  let lastSequence = 0;
  let hubTime = 0;
  let corrupt = 0;

  const append = ({ sequence, arrived, record, holds }: RunAppend): void => {
    lastSequence = Math.max(lastSequence, sequence);
    const known = holds.filter(({ queue }) => registry.byId(queue) !== undefined);
    if (known.length < holds.length) corrupt++;
    if (known.length === 0) return;
    const pending = createPending(undefined, record.length, sequence, arrived, known.length, false, noSender);
    pending.stage = 'journaled';
    pending.run = record;
    for (const { queue, priority, expires } of known) {
      const state = registry.byId(queue);
      if (state !== undefined) enqueue(pending, state, priority, expires, database);
    }
    bySequence.set(sequence, pending);
    batch.appends.push(pending);
  };

  const remove = (queue: QueueState, priority: number, sequence: number): void => {
    const entry = bySequence
      .get(sequence)
      ?.laneEntries.find(one => one.queue === queue && one.priority === priority);
    if (entry !== undefined) {
      release(entry);
      return;
    }
    const found = database.find({ queue: queue.id, priority, sequence });
    if (queue.removing.has(sequence) || found === undefined) return;
    const removed = removedEntryOf(queue, found);
    queue.removing.set(sequence, true);
    subtract(queue, removed.bytes);
    batch.removals.push(removed);
  };

  const retire = (queue: QueueState): void => {
    registry.retire(queue);
    for (const lane of queue.lanes) for (const entry of Array.from(lane?.waiting ?? [])) release(entry);
    batch.retired.push(queue);
  };

  const contents = runs.map(({ content }) => content);
  // If two queues have the same name, the queue with the higher id is current. The queue with the lower id
  // was purged, and one of the runs marks it as purged.
  const queues = contents.flatMap(content => content.queues).toSorted((one, other) => one.id - other.id);
  for (const { id, name } of queues) registry.adopt(id, name);
  // The entries of a priority must be added in the order of their sequences. The journal can have another
  // order, because a message in flight can be committed later than a younger message.
  const appends = contents.flatMap(content => content.appends);
  for (const one of appends.toSorted((a, b) => a.sequence - b.sequence)) append(one);
  for (const content of contents) {
    hubTime = Math.max(hubTime, content.hubTime);
    for (const { queue, priority, sequence } of content.removals) {
      const state = registry.byId(queue);
      if (state !== undefined) remove(state, priority, sequence);
    }
    for (const { name, value } of content.metadata) batch.metadata.set(name, value);
    for (const id of content.retired) {
      const queue = registry.byId(id);
      if (queue !== undefined) retire(queue);
    }
  }
  return { batch, lastSequence, hubTime, corrupt };
}
