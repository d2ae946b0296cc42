import type { Writer } from './database.ts';
import { ENTRY_OVERHEAD, encodeMessage } from './layout.ts';
import type { Batch, Held, Pending, QueueState, Removal } from './ledger.ts';
import { entryBytes } from './ledger.ts';

/** A batch as it stands when its commit begins: what is acknowledged later no longer changes it. */
export type Plan = {
  readonly appends: readonly { readonly pending: Pending; readonly holds: readonly Held[] }[];
  readonly removals: readonly Removal[];
  readonly settled: ReadonlyMap<string, Buffer | undefined>;
  readonly retired: readonly QueueState[];
  /** How many things there are to write; 0: every message was spared. */
  readonly writes: number;
};

/** What a transaction did. */
export type Outcome = {
  /** Bytes of bodies written. */
  readonly written: number;
  /** Bytes counted against `maxSize` that were added and given back. */
  readonly added: number;
  readonly freed: number;
  /** Queues whose stored figures changed, and those that are gone for good. */
  readonly changes: ReadonlyMap<QueueState, Change>;
  readonly gone: readonly QueueState[];
};

export type Change = { depth: number; bytes: number };

export function planOf(batch: Batch): Plan {
  const appends: { pending: Pending; holds: Held[] }[] = [];
  for (const pending of batch.appends) {
    if (pending.open === 0) continue;
    pending.stage = 'committing';
    appends.push({ pending, holds: pending.held.filter(held => held.open) });
  }
  const { removals, settled, retired } = batch;
  const writes = appends.length + removals.length + settled.size + retired.length;
  return { appends, removals, settled, retired, writes };
}

/**
 * Writes a plan inside a transaction. It changes nothing in memory: the transaction may yet fail.
 * `hubTime` in milliseconds, `bytes` as stored before.
 */
export function applyPlan(plan: Plan, writer: Writer, hubTime: number, bytes: number): Outcome {
  const changes = new Map<QueueState, Change>();
  let written = 0;
  let added = 0;
  let freed = 0;

  const count = (queue: QueueState, depth: number, bytes: number): void => {
    const change = changes.get(queue);
    if (change === undefined) changes.set(queue, { depth, bytes });
    else {
      change.depth += depth;
      change.bytes += bytes;
    }
  };

  for (const { pending, holds } of plan.appends) {
    const body = encodeMessage(pending.message);
    writer.putBody(pending.sequence, body, holds.length);
    written += body.length;
    added += pending.size + holds.length * ENTRY_OVERHEAD;
    for (const { queue, priority, expires } of holds) {
      const value = { expires, arrived: pending.arrived, bodyBytes: pending.size };
      writer.putEntry(queue.id, priority, pending.sequence, value);
      count(queue, 1, entryBytes(pending.size));
    }
  }
  for (const { queue, priority, sequence, size } of plan.removals) {
    const removed = writer.removeEntry(queue.id, priority, sequence);
    if (removed === 'absent') continue;
    freed += ENTRY_OVERHEAD + (removed === 'body' ? size : 0);
    count(queue, -1, -entryBytes(size));
  }
  for (const queue of plan.retired) count(queue, 0, 0);
  for (const [name, value] of plan.settled) writer.putSettled(name, value);
  const gone = writeQueues(changes, writer);
  writer.putNumber('hubTime', hubTime);
  writer.putNumber('bytes', bytes + added - freed);
  return { written, added, freed, changes, gone };
}

function writeQueues(changes: ReadonlyMap<QueueState, Change>, writer: Writer): QueueState[] {
  const gone: QueueState[] = [];
  for (const [queue, change] of changes) {
    const { id, name, retired } = queue;
    const depth = queue.storedDepth + change.depth;
    if (retired && depth === 0 && queue.depth === 0) {
      writer.removeQueue(id);
      gone.push(queue);
    } else {
      writer.putQueue(id, { name, retired, depth, bytes: queue.storedBytes + change.bytes });
    }
  }
  return gone;
}
