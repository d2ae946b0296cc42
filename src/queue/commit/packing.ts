import { INLINE_BYTES } from '../../core/store-limits.ts';
import type { ChunkDraft } from '../disk/chunk.ts';
import { addEntry, draftChunk, entrySize, NO_RECORD, sealChunk, takes } from '../disk/chunk.ts';
import type { Writer } from '../disk/writer.ts';
import type { Held, Pending, QueueState } from '../entries/ledger.ts';

/** Things of queues by their priorities. */
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

/** Names to `writer` what still waits of `appends`: entries in chunks, bodies with the only entry or, once, aside. */
export function packWaiting(appends: readonly Pending[], writer: Writer, packed: (held: Held) => void): void {
  const lanes: ByLane<Held> = new Map();
  for (const pending of appends) {
    if (pending.open === 0) continue;
    if (!isInline(pending)) putBody(pending, writer);
    for (const held of pending.held) if (held.open) addToLane(lanes, held.queue, held.priority, held);
  }
  for (const [queue, lists] of lanes) {
    for (const [priority, list] of lists.entries()) {
      if (list === undefined) continue;
      packLane(queue, priority, list.sort(bySequence), writer);
      for (const held of list) packed(held);
    }
  }
}

/** True if the body of a message lies with its only entry. */
export function isInline({ open, recordBytes }: Pending): boolean {
  return open === 1 && recordBytes <= INLINE_BYTES;
}

function putBody({ sequence, run, recordAt, recordBytes, open }: Pending, writer: Writer): void {
  if (run !== undefined) writer.putBody(sequence, run.subarray(recordAt, recordAt + recordBytes), open);
}

function bySequence(one: Held, other: Held): number {
  return one.pending.sequence - other.pending.sequence;
}

function packLane(queue: QueueState, priority: number, list: readonly Held[], writer: Writer): void {
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
  list: readonly Held[],
  bytes: number,
  writer: Writer,
): void {
  const draft = draftChunk(list.length, bytes, writer.space);
  for (const held of list) putEntry(held, draft, writer);
  const last = list.at(-1)?.pending.sequence ?? 0;
  writer.putChunk(queue.id, priority, last, list.length, sealChunk(draft));
}

function putEntry(held: Held, draft: ChunkDraft, writer: Writer): void {
  const { pending, queue, priority, expires, ceiling } = held;
  const { sequence, arrived, run, recordAt, recordBytes } = pending;
  if (expires < ceiling) writer.putExpiry(expires, { queue: queue.id, priority, sequence });
  if (run === undefined || !isInline(pending)) addEntry(draft, sequence, held, arrived, NO_RECORD, 0, 0);
  else addEntry(draft, sequence, held, arrived, run, recordAt, recordAt + recordBytes);
}
