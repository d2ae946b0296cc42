import type { Pending, QueueState } from '../entries/queue-state.ts';
import type { RunDraft } from '../journal/run.ts';
import { appendSize, draftRun, writeAppend, writeHold } from '../journal/run.ts';
import { writeRecord } from '../record/record-encode.ts';
import type { CommitPlan } from './plan.ts';

/**
 * Encodes a commit as a run (the records that are written together) into blocks that `space` allocates.
 * `hubTime` is the time of the commit (ms, by the hub's own clock for TTLs).
 */
export function encodeRun(plan: CommitPlan, hubTime: number, space: (bytes: number) => Buffer): RunDraft {
  const queues: (number | string)[] = [];
  const named = new Set<QueueState>();
  const name = (queue: QueueState): void => {
    if (queue.saved || named.has(queue)) return;
    named.add(queue);
    queues.push(queue.id, queue.name);
  };
  let bytes = 0;
  for (const pending of plan.appends) {
    for (const { queue } of pending.laneEntries) name(queue);
    bytes += appendSize(pending.recordBytes, pending.openCount);
  }
  const removals: number[] = [];
  for (const { queue, priority, sequence } of plan.removals) removals.push(queue.id, priority, sequence);
  const metadata: (string | Buffer | null)[] = [];
  for (const [key, value] of plan.metadata) metadata.push(key, value ?? null);
  const retired = plan.retired.map(queue => {
    name(queue);
    return queue.id;
  });
  const draft = draftRun([hubTime, queues, removals, metadata, retired], bytes, space);
  for (const pending of plan.appends) draftAppend(draft, pending);
  return draft;
}

/** Writes one message to the run. Afterwards `pending` refers to the encoded message in the run. */
function draftAppend(draft: RunDraft, pending: Pending): void {
  const { sequence, arrived, recordBytes, openCount, laneEntries, message } = pending;
  writeAppend(draft, sequence, arrived, recordBytes, openCount);
  for (const one of laneEntries) if (one.open) writeHold(draft, one.queue.id, one.priority, one.expires);
  if (message !== undefined) writeRecord(draft.blocks, draft.end, message);
  pending.run = draft.blocks;
  pending.recordAt = draft.end;
  draft.end += recordBytes;
}
