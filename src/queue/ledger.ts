import type { Message, Settle } from '../core/message.ts';
import type { QueueRecord } from './layout.ts';
import { ENTRY_OVERHEAD } from './layout.ts';
import { PRIORITIES } from './types.ts';

/** One queue as the running store knows it: what it holds, what of that is on disk, what is not yet. */
export type QueueState = {
  readonly id: number;
  readonly name: string;
  /** Purged: its entries are being taken away, nothing is added. */
  retired: boolean;
  /** Entries held, uncommitted ones included. */
  depth: number;
  bytes: number;
  /** The same two as last written to disk. */
  storedDepth: number;
  storedBytes: number;
  /** Entries not known to be on disk, by priority, in order of sequence. */
  readonly uncommitted: readonly Held[][];
  /** Sequences let go of whose removal is not on disk yet: never sent again. */
  readonly removing: Set<number>;
  /** By priority, the highest sequence a drain of this run has sent: up to it, sending is redelivery. */
  readonly sentUpTo: Float64Array;
  consumer: Consumer | undefined;
};

/** The drain of a queue as its store sees it. */
export type Consumer = {
  readonly wake: () => void;
  /** Entries of `priority` up to `sequence` are on disk now and no longer in `uncommitted`. */
  readonly committed: (priority: number, sequence: number) => void;
  /** True if the entry was sent or passed over: it is the drain's to let go of. */
  readonly passed: (priority: number, sequence: number) => boolean;
};

/** A message between `append` and the disk. */
export type Pending = {
  readonly sequence: number;
  readonly message: Message;
  readonly size: number;
  readonly arrived: number;
  readonly held: Held[];
  /** How many queues have not let go of it. */
  open: number;
  stage: 'gathering' | 'committing' | 'stored' | 'failed';
  readonly settle: Settle;
};

/** One queue's hold on a pending message. */
export type Held = {
  readonly pending: Pending;
  readonly queue: QueueState;
  readonly priority: number;
  /** Hub time in milliseconds; 0: never. */
  readonly expires: number;
  open: boolean;
};

/** An entry that leaves a queue, on disk. */
export type Removal = {
  readonly queue: QueueState;
  readonly priority: number;
  readonly sequence: number;
  readonly size: number;
};

/** What the next commit will do. */
export type Batch = {
  appends: Pending[];
  removals: Removal[];
  settled: Map<string, Buffer | undefined>;
  /** Owners of settled state who wait for this commit. */
  settles: Settle[];
  /** Queues retired by a purge. */
  retired: QueueState[];
};

export function emptyBatch(): Batch {
  return { appends: [], removals: [], settled: new Map(), settles: [], retired: [] };
}

export function queueState(id: number, record: QueueRecord): QueueState {
  const { name, retired, depth, bytes } = record;
  return {
    id,
    name,
    retired,
    depth,
    bytes,
    storedDepth: depth,
    storedBytes: bytes,
    uncommitted: Array.from({ length: PRIORITIES }, () => []),
    removing: new Set(),
    sentUpTo: new Float64Array(PRIORITIES),
    consumer: undefined,
  };
}

/** Bytes a message is counted with once, however many queues hold it. */
export function sizeOf(message: Message): number {
  return message.body.length + message.topic.length;
}

/** Bytes a queue is counted with for one entry. */
export function entryBytes(size: number): number {
  return size + ENTRY_OVERHEAD;
}

/** Index of the first entry behind `sequence` in a list in order of sequence. */
export function firstBehind(list: readonly Held[], sequence: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const held = list[middle];
    if (held !== undefined && held.pending.sequence <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Forgets what is uncommitted no longer: `appends` were written, spared or refused. */
export function dropCommitted(appends: readonly Pending[]): void {
  const last = appends.at(-1);
  if (last === undefined) return;
  for (const queue of new Set(appends.flatMap(pending => pending.held.map(held => held.queue)))) {
    for (const [priority, waiting] of queue.uncommitted.entries()) {
      const count = firstBehind(waiting, last.sequence);
      if (count === 0) continue;
      waiting.splice(0, count);
      queue.consumer?.committed(priority, last.sequence);
    }
  }
}
