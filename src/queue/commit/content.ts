import { encode, encodeRecord } from '../disk/record.ts';
import type { Pending, QueueState } from '../entries/ledger.ts';
import type { Plan } from './plan.ts';

/** The content of a run for what a commit writes, at `hubTime` (ms); it makes the records that are missing. */
export function encodeContent(plan: Plan, hubTime: number): Buffer {
  const queues: (number | string)[] = [];
  const named = new Set<QueueState>();
  const name = (queue: QueueState): void => {
    if (queue.saved || named.has(queue)) return;
    named.add(queue);
    queues.push(queue.id, queue.name);
  };
  const appends = plan.appends.map(pending => {
    for (const { queue } of pending.held) name(queue);
    return [pending.sequence, pending.arrived, recordOf(pending), holdsOf(pending)];
  });
  const removals: number[] = [];
  for (const { queue, priority, sequence } of plan.removals) removals.push(queue.id, priority, sequence);
  const settled: unknown[] = [];
  for (const [key, value] of plan.settled) settled.push(key, value ?? null);
  const retired = plan.retired.map(queue => {
    name(queue);
    return queue.id;
  });
  return encode([hubTime, queues, appends, removals, settled, retired]);
}

export function recordOf(pending: Pending): Buffer {
  pending.record ??= encodeRecord(pending.message);
  return pending.record;
}

function holdsOf({ held }: Pending): number[] {
  const holds: number[] = [];
  for (const { queue, priority, expires, open } of held) if (open) holds.push(queue.id, priority, expires);
  return holds;
}
