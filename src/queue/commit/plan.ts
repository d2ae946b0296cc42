import type { OnDurable } from '../../core/message.ts';
import type { Pending, PriorityLane, QueueState } from '../entries/queue-state.ts';
import { laneOf } from '../entries/queue-state.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import type { Batch } from './batch.ts';

/** Content of one commit. Does not change after the commit has begun. */
export type CommitPlan = {
  readonly appends: readonly Pending[];
  /**
   * Messages that must not be delivered before the commit. Includes messages that were removed from all
   * queues.
   */
  readonly durableFirst: readonly Pending[];
  readonly removals: readonly RemovedEntry[];
  readonly metadata: ReadonlyMap<string, Buffer | undefined>;
  readonly retired: readonly QueueState[];
  readonly callbacks: readonly OnDurable[];
  /** Number of writes. 0 if every message was acknowledged before the commit. */
  readonly writes: number;
};

/**
 * Moves the content of the next commit out of a batch. A message in flight stays in the batch if it arrived
 * at hub time (the hub's own clock for TTLs) `freshFrom` or later, because an acknowledgement would make its
 * write unnecessary. Two kinds of messages never stay. First, messages that are delivered only after their
 * commit (durable-first). Second, messages that are older than another message of the same queue and priority
 * in this commit, because a crash would reverse their order.
 */
export function planCommit(batch: Batch, freshFrom: number): CommitPlan {
  const { removals, metadata, retired, callbacks } = batch;
  const durableFirst = batch.appends.filter(pending => pending.durableFirst);
  const appends: Pending[] = [];
  const staying: Pending[] = [];
  const written = new Set<PriorityLane>();
  for (let index = batch.appends.length - 1; index >= 0; index--) {
    const pending = batch.appends[index];
    if (pending === undefined || pending.openCount === 0) continue;
    if (pending.arrived >= freshFrom && isInFlight(pending) && !isFollowed(pending, written)) {
      staying.push(pending);
    } else {
      appends.push(pending);
      noteLanes(pending, written);
    }
  }
  appends.reverse();
  for (const pending of appends) pending.stage = 'committing';
  batch.appends = staying.reverse();
  batch.removals = [];
  batch.metadata = new Map();
  batch.retired = [];
  batch.callbacks = [];
  const writes = appends.length + removals.length + metadata.size + retired.length;
  return { appends, durableFirst, removals, metadata, retired, callbacks, writes };
}

function noteLanes({ laneEntries }: Pending, lanes: Set<PriorityLane>): void {
  for (const { open, queue, priority } of laneEntries) if (open) lanes.add(laneOf(queue, priority));
}

function isFollowed({ laneEntries }: Pending, written: ReadonlySet<PriorityLane>): boolean {
  return laneEntries.some(({ open, queue, priority }) => open && written.has(laneOf(queue, priority)));
}

/** True if the message was sent to the receiver of every queue that contains the message. */
export function isInFlight({ laneEntries, sequence }: Pending): boolean {
  for (const { open, queue, priority } of laneEntries) {
    if (open && queue.consumer?.hasPassed(priority, sequence) !== true) return false;
  }
  return true;
}
