import type { OnDurable } from '../../core/message.ts';
import type { Pending, PriorityLane, QueueState } from '../entries/queue-state.ts';
import { laneOf } from '../entries/queue-state.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import type { Batch } from './batch.ts';

/** Content of one commit, fixed when it begins. */
export type CommitPlan = {
  readonly appends: readonly Pending[];
  /** Messages whose metadata is part of the commit, including those that no queue holds any more. */
  readonly durableFirst: readonly Pending[];
  readonly removals: readonly RemovedEntry[];
  readonly metadata: ReadonlyMap<string, Buffer | undefined>;
  readonly retired: readonly QueueState[];
  readonly callbacks: readonly OnDurable[];
  /** Number of writes. 0 if every message was acknowledged before its commit. */
  readonly writes: number;
};

/**
 * Takes the content of the next commit out of a batch. Messages that are in flight to all receivers since
 * `freshFrom` (hub ms) or later stay, because an acknowledgement may spare the write. Durable-first messages
 * never stay. A message never stays while a younger one of its lane is written, because a crash would swap
 * them.
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

/** True if each queue that holds the message has sent it to its receiver. */
export function isInFlight({ laneEntries, sequence }: Pending): boolean {
  for (const { open, queue, priority } of laneEntries) {
    if (open && queue.consumer?.hasPassed(priority, sequence) !== true) return false;
  }
  return true;
}
