import type { ChunkDraft } from '../disk/chunk.ts';
import { addEntry, draftChunk, entrySize, NO_RECORD, sealChunk, takes } from '../disk/chunk.ts';
import type { StoreWriter } from '../disk/writer.ts';
import type { LaneEntry, Pending, QueueState } from '../entries/queue-state.ts';
import { MAX_INLINE_BYTES } from '../limits.ts';

/** Lists of values by queue and priority. */
export type ByLane<Thing> = Map<QueueState, (Thing[] | undefined)[]>;

export function addToLane<Thing>(
  lanes: ByLane<Thing>,
  queue: QueueState,
  priority: number,
  thing: Thing,
): void {
  let lists = lanes.get(queue);
  if (lists === undefined) {
    lists = [];
    lanes.set(queue, lists);
  }
  const list = lists[priority];
  if (list === undefined) lists[priority] = [thing];
  else list.push(thing);
}

/**
 * Writes waiting messages to LMDB: the entries in chunks, and the bodies inline or in the table `bodies`. A
 * body is inline if it is small and the message is in only one queue.
 */
export function packWaiting(
  appends: readonly Pending[],
  writer: StoreWriter,
  packed: (entry: LaneEntry) => void,
): void {
  const lanes: ByLane<LaneEntry> = new Map();
  for (const pending of appends) {
    if (pending.openCount === 0) continue;
    if (!isInline(pending)) putBody(pending, writer);
    for (const entry of pending.laneEntries)
      if (entry.open) addToLane(lanes, entry.queue, entry.priority, entry);
  }
  for (const [queue, lists] of lanes) {
    for (const [priority, list] of lists.entries()) {
      if (list === undefined) continue;
      packLane(queue, priority, list.sort(bySequence), writer);
      for (const entry of list) packed(entry);
    }
  }
}

/** True if the body is stored inline, in the chunk of its entry. */
export function isInline({ openCount, recordBytes }: Pending): boolean {
  return openCount === 1 && recordBytes <= MAX_INLINE_BYTES;
}

function putBody({ sequence, run, recordAt, recordBytes, openCount }: Pending, writer: StoreWriter): void {
  if (run !== undefined) writer.putBody(sequence, run.subarray(recordAt, recordAt + recordBytes), openCount);
}

function bySequence(one: LaneEntry, other: LaneEntry): number {
  return one.pending.sequence - other.pending.sequence;
}

function packLane(
  queue: QueueState,
  priority: number,
  list: readonly LaneEntry[],
  writer: StoreWriter,
): void {
  let from = 0;
  let bytes = 0;
  for (const [index, { pending }] of list.entries()) {
    const size = entrySize(isInline(pending) ? pending.recordBytes : 0);
    if (!takes(bytes, size)) {
      putChunk(queue, priority, list.slice(from, index), bytes, writer);
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  putChunk(queue, priority, list.slice(from), bytes, writer);
}

function putChunk(
  queue: QueueState,
  priority: number,
  list: readonly LaneEntry[],
  bytes: number,
  writer: StoreWriter,
): void {
  const draft = draftChunk(list.length, bytes, writer.space);
  for (const entry of list) putEntry(entry, draft, writer);
  const last = list.at(-1)?.pending.sequence ?? 0;
  writer.putChunk(queue.id, priority, last, list.length, sealChunk(draft));
}

function putEntry(entry: LaneEntry, draft: ChunkDraft, writer: StoreWriter): void {
  const { pending, queue, priority, expires, maxExpiry } = entry;
  const { sequence, arrived, run, recordAt, recordBytes } = pending;
  if (expires < maxExpiry) writer.putExpiry(expires, { queue: queue.id, priority, sequence });
  if (run === undefined || !isInline(pending)) addEntry(draft, sequence, entry, arrived, NO_RECORD, 0, 0);
  else addEntry(draft, sequence, entry, arrived, run, recordAt, recordAt + recordBytes);
}
