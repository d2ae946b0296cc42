import type { Settle } from '../../core/message.ts';
import type { Leaving } from '../entries/leaving.ts';
import type { Lane, Pending, QueueState } from '../entries/ledger.ts';
import { laneOf } from '../entries/ledger.ts';
import type { Batch } from './batch.ts';

/** What one commit writes, as it stands when the commit begins. */
export type Plan = {
  readonly appends: readonly Pending[];
  /** Messages whose notes are among the settled state, those included that no queue holds any more. */
  readonly firm: readonly Pending[];
  readonly removals: readonly Leaving[];
  readonly settled: ReadonlyMap<string, Buffer | undefined>;
  readonly retired: readonly QueueState[];
  readonly settles: readonly Settle[];
  /** How many things there are to write; 0: every message was spared. */
  readonly writes: number;
};

/**
 * Takes out of a batch what is to be written now. Messages that are with all of their receivers since
 * `freshFrom` (hub ms) or later stay: an acknowledgement may yet spare their write. A firm one is with nobody and
 * never stays behind its note; and none stays while a younger one of its lane is written, which a crash would put before it.
 */
export function takePlan(batch: Batch, freshFrom: number): Plan {
  const { removals, settled, retired, settles } = batch;
  const firm = batch.appends.filter(pending => pending.firm);
  const appends: Pending[] = [];
  const staying: Pending[] = [];
  const written = new Set<Lane>();
  for (let index = batch.appends.length - 1; index >= 0; index--) {
    const pending = batch.appends[index];
    if (pending === undefined || pending.open === 0) continue;
    if (pending.arrived >= freshFrom && isUnderWay(pending) && !isFollowed(pending, written)) {
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
  batch.settled = new Map();
  batch.retired = [];
  batch.settles = [];
  const writes = appends.length + removals.length + settled.size + retired.length;
  return { appends, firm, removals, settled, retired, settles, writes };
}

function noteLanes({ held }: Pending, lanes: Set<Lane>): void {
  for (const { open, queue, priority } of held) if (open) lanes.add(laneOf(queue, priority));
}

function isFollowed({ held }: Pending, written: ReadonlySet<Lane>): boolean {
  return held.some(({ open, queue, priority }) => open && written.has(laneOf(queue, priority)));
}

/** True if each queue that holds the message has sent it to its receiver. */
export function isUnderWay({ held, sequence }: Pending): boolean {
  for (const { open, queue, priority } of held) {
    if (open && queue.consumer?.passed(priority, sequence) !== true) return false;
  }
  return true;
}
