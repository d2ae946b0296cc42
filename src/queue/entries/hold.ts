import type { Message, Settle } from '../../core/message.ts';
import { ceilingAt } from '../disk/chunk.ts';
import type { Database } from '../disk/database.ts';
import { entryBytes, messageBytes } from '../disk/layout.ts';
import { appendSize } from '../disk/run.ts';
import type { Held, Lane, Pending, QueueState } from './ledger.ts';
import { laneOf } from './ledger.ts';

/** A message that comes in at hub time `arrived` (ms), and that `holders` queues are to hold; `firm`: with a note. */
export function pend(
  message: Message | undefined,
  recordBytes: number,
  sequence: number,
  arrived: number,
  holders: number,
  firm: boolean,
  settle: Settle,
): Pending {
  return {
    sequence,
    arrived,
    held: NOBODY,
    message,
    recordBytes,
    run: undefined,
    recordAt: 0,
    firm,
    open: holders,
    stage: 'gathering',
    letters: 0,
    reserved: messageBytes(recordBytes, holders),
    coming: appendSize(recordBytes, holders),
    settle,
  };
}

const NOBODY: readonly Held[] = [];

/** Puts a message into a lane of one of its queues, behind all that is there, until `expires` (hub ms). */
export function hold(
  pending: Pending,
  queue: QueueState,
  priority: number,
  expires: number,
  database: Database,
): void {
  const lane = laneOf(queue, priority);
  const ceiling = Math.max(ceilingOf(queue, priority, lane, database), expires);
  const bytes = entryBytes(pending.recordBytes, pending.open);
  const held = { pending, queue, priority, expires, ceiling, bytes, open: true, stored: undefined };
  pending.held = pending.held === NOBODY ? [held] : [...pending.held, held];
  lane.ceiling = ceiling;
  lane.waiting.push(held);
  queue.depth++;
  queue.bytes += bytes;
  queue.share?.add(bytes);
  queue.soonest = Math.min(queue.soonest, expires);
}

/** The latest expiry of what the lane has held since its queue was last empty. */
function ceilingOf(queue: QueueState, priority: number, lane: Lane, database: Database): number {
  if (queue.depth === 0) for (const other of queue.lanes) if (other !== undefined) other.ceiling = 0;
  if (lane.ceiling !== undefined) return lane.ceiling;
  const last = database.lastEntry(queue.id, priority);
  if (last === undefined) return 0;
  // A damaged chunk says nothing: what comes is looked up by its own expiry then.
  return last.chunk.whole ? ceilingAt(last.chunk, last.index) : Number.POSITIVE_INFINITY;
}
