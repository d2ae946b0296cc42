import type { Message, Settle } from '../../core/message.ts';
import type { Database } from '../disk/database.ts';
import { entryBytes, messageBytes } from '../disk/layout.ts';
import type { Held, Lane, Pending, QueueState } from './ledger.ts';
import { laneOf } from './ledger.ts';

/** Where a message goes, looked up: its queue, and when the entry expires (hub ms; Infinity: never). */
export type Place = { readonly queue: QueueState; readonly priority: number; readonly expires: number };

/** A message as it comes in, or out of a journal. */
export type Arrival = {
  readonly sequence: number;
  readonly message: Message;
  readonly arrived: number;
  readonly stage: Pending['stage'];
  readonly record: Buffer | undefined;
  readonly settle: Settle;
};

/** Puts a message into the lanes of its queues, behind all that is there; `recordBytes` are those of its record. */
export function hold(
  arrival: Arrival,
  places: readonly Place[],
  recordBytes: number,
  database: Database,
): Pending {
  const held: Held[] = [];
  const pending: Pending = {
    ...arrival,
    held,
    open: places.length,
    letters: 0,
    reserved: messageBytes(recordBytes, places.length),
  };
  const bytes = entryBytes(recordBytes, places.length);
  for (const { queue, priority, expires } of places) {
    const lane = laneOf(queue, priority);
    const ceiling = Math.max(ceilingOf(queue, priority, lane, database), expires);
    const one = { pending, queue, priority, expires, ceiling, bytes, open: true, stored: undefined };
    lane.ceiling = ceiling;
    lane.waiting.push(one);
    held.push(one);
    queue.depth++;
    queue.bytes += bytes;
    queue.soonest = Math.min(queue.soonest, expires);
  }
  return pending;
}

/** The latest expiry of what the lane has held since its queue was last empty. */
function ceilingOf(queue: QueueState, priority: number, lane: Lane, database: Database): number {
  if (queue.depth === 0) for (const other of queue.lanes) if (other !== undefined) other.ceiling = 0;
  if (lane.ceiling !== undefined) return lane.ceiling;
  const last = database.lastEntry(queue.id, priority);
  if (last === undefined) return 0;
  // A damaged header says nothing: what comes is looked up by its own expiry then.
  return last.header?.ceiling ?? Number.POSITIVE_INFINITY;
}
