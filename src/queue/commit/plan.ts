import type { Settle } from '../../core/message.ts';
import type { Leaving } from '../entries/leaving.ts';
import type { Pending, QueueState } from '../entries/ledger.ts';
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
 * never stays behind its note.
 */
export function takePlan(batch: Batch, freshFrom: number): Plan {
  const { removals, settled, retired, settles } = batch;
  const appends: Pending[] = [];
  const firm: Pending[] = [];
  const staying: Pending[] = [];
  for (const pending of batch.appends) {
    if (pending.firm) firm.push(pending);
    if (pending.open === 0) continue;
    if (pending.arrived >= freshFrom && isUnderWay(pending)) staying.push(pending);
    else appends.push(pending);
  }
  for (const pending of appends) pending.stage = 'committing';
  batch.appends = staying;
  batch.removals = [];
  batch.settled = new Map();
  batch.retired = [];
  batch.settles = [];
  const writes = appends.length + removals.length + settled.size + retired.length;
  return { appends, firm, removals, settled, retired, settles, writes };
}

/** True if each queue that holds the message has sent it to its receiver. */
export function isUnderWay({ held, sequence }: Pending): boolean {
  for (const { open, queue, priority } of held) {
    if (open && queue.consumer?.passed(priority, sequence) !== true) return false;
  }
  return true;
}
