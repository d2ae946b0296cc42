import type { OnDurable } from '../../core/message.ts';
import type { Pending, PriorityLane, QueueState } from '../entries/queue-state.ts';
import { laneOf } from '../entries/queue-state.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import type { Batch } from './batch.ts';

/** What one commit writes, as it stands when the commit begins. */
export type CommitPlan = {
  readonly appends: readonly Pending[];
  /** Messages whose notes are among the settled state, those included that no queue holds any more. */
  readonly durableFirst: readonly Pending[];
  readonly removals: readonly RemovedEntry[];
  readonly metadata: ReadonlyMap<string, Buffer | undefined>;
  readonly retired: readonly QueueState[];
  readonly callbacks: readonly OnDurable[];
  /** How many things there are to write; 0: every message was spared. */
  readonly writes: number;
};

/**
 * Takes out of a batch what is to be written now. Messages that are with all of their receivers since
 * `freshFrom` (hub ms) or later stay: an acknowledgement may yet spare their write. A firm one is with nobody and
 * never stays behind its note; and none stays while a younger one of its lane is written, which a crash would put before it.
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
