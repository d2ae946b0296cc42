import type { Clock } from '../core/clock.ts';
import { Failure, reasonOf } from '../core/errors.ts';
import { DISK_RESERVE, HUB_TIME_INTERVAL, SWEEP_INTERVAL } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Message, Settle } from '../core/message.ts';
import type { CommitHost } from './commit.ts';
import { createCommitter } from './commit.ts';
import type { Database } from './database.ts';
import { openDatabase } from './database.ts';
import type { Release } from './drain.ts';
import { createDrain } from './drain.ts';
import { createHubTime } from './hubtime.ts';
import { ENTRY_OVERHEAD } from './layout.ts';
import type { Held, Pending, QueueState } from './ledger.ts';
import { entryBytes, queueState, sizeOf } from './ledger.ts';
import type { Room } from './room.ts';
import { watchRoom } from './room.ts';
import { sweep } from './sweep.ts';
import type { Destination, QueueStats, Store, StoreCounts } from './types.ts';
import { PRIORITIES } from './types.ts';

const DISK_FULL = `The disk of the store has less than ${DISK_RESERVE >> 20} MB free: make room on it, or bring the upstream back.`;

export type StoreSettings = {
  /** Made if it is not there. */
  readonly folder: string;
  /** Bytes of all bodies and entries; beyond it, `append` refuses. */
  readonly maxSize: number;
  /** Milliseconds of hub time that any entry may wait at most; undefined: for ever. */
  readonly ttl: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Opens the durable queues under `folder`. The caller holds the data folder's lock.
 * @throws Failure `store.unreadable`, `store.newer`
 */
export async function openStore(settings: StoreSettings): Promise<Store> {
  const { clock } = settings;
  const database = await openDatabase(settings.folder);
  const now = createHubTime(clock, database.hubTime()).now;
  const registry = loadQueues(database);
  const counts = emptyCounts();
  const usage = { bytes: database.bytes() };
  const room = watchRoom(settings.folder);
  room.look(usage.bytes);
  let lastSequence = database.lastSequence();
  let closed = false;
  let full = false;

  const committer = createCommitter({
    clock,
    database,
    now,
    ...accounting(settings.log, registry, counts, usage, room),
  });

  const hold = (pending: Pending, destination: Destination): Held => {
    const queue = registry.named(destination.queue);
    const ttl = shortest(destination.ttl, pending.message.ttl, settings.ttl);
    const expires = ttl === undefined ? 0 : pending.arrived + ttl;
    const held = { pending, queue, priority: destination.priority, expires, open: true };
    queue.uncommitted[destination.priority]?.push(held);
    queue.depth++;
    queue.bytes += entryBytes(pending.size);
    return held;
  };

  const refusal = (needed: number): Failure | undefined => {
    if (closed) return new Failure('store.write', 'The store is closed: the hub is stopping.');
    if (!room.enough()) return new Failure('store.full', DISK_FULL);
    if (usage.bytes + needed <= settings.maxSize) return undefined;
    return new Failure(
      'store.full',
      `The store is full (${settings.maxSize} bytes): raise storeAndForward.maxSize, shorten its ttl, or bring the upstream back.`,
    );
  };

  const append = (message: Message, destinations: readonly Destination[], settle: Settle): void => {
    const size = sizeOf(message);
    const needed = size + destinations.length * ENTRY_OVERHEAD;
    const failure = refusal(needed);
    if (failure !== undefined) {
      counts.refused++;
      if (!full) settings.log.warn(failure.message);
      full = true;
      settle(failure);
      return;
    }
    full = false;
    usage.bytes += needed;
    counts.appended++;
    const held: Held[] = [];
    const open = destinations.length;
    const sequence = ++lastSequence;
    const pending: Pending = {
      sequence,
      message,
      size,
      arrived: now(),
      held,
      open,
      stage: 'gathering',
      settle,
    };
    for (const destination of destinations) held.push(hold(pending, destination));
    committer.append(pending);
    for (const { queue } of held) queue.consumer?.wake();
  };

  const release = ({ queue, priority, sequence, size, held, reason }: Release): void => {
    if (held !== undefined && (!held.open || held.pending.stage === 'failed')) return;
    queue.depth--;
    queue.bytes -= entryBytes(size);
    counts[reason]++;
    if (held !== undefined) held.open = false;
    if (held === undefined || held.pending.stage !== 'gathering') {
      committer.remove({ queue, priority, sequence, size });
      return;
    }
    usage.bytes -= ENTRY_OVERHEAD;
    if (--held.pending.open > 0) return;
    usage.bytes -= size;
    counts.spared++;
    held.pending.settle();
  };

  let persisted = now();
  const tick = (): void => {
    if (closed) return;
    room.look(usage.bytes);
    for (const queue of registry.all()) sweep(queue, { database, now, release });
    if (usage.bytes > 0 && now() - persisted >= HUB_TIME_INTERVAL) {
      persisted = now();
      committer.touch();
    }
    clock.after(SWEEP_INTERVAL, tick);
  };
  clock.after(SWEEP_INTERVAL, tick);

  const later = (action: () => void): void => {
    clock.after(0, action);
  };
  return {
    append,
    drain: (name, drainSettings) =>
      createDrain(registry.named(name), drainSettings, { database, now, release, later }),
    purge: name => {
      const queue = registry.retire(name);
      if (queue !== undefined) committer.retire(queue);
    },
    put: (name, value, settle) => {
      // Settled state is small, and deletes as often as it adds: the reserve is for it too.
      if (closed) settle(refusal(0));
      else committer.put(name, value, settle);
    },
    get: name => {
      const unwritten = committer.unwritten(name);
      return unwritten === undefined ? database.settled(name) : unwritten.value;
    },
    names: prefix => database.names(prefix),
    stats: () => registry.current().map(queue => statsOf(queue, database, now())),
    counts: () => counts,
    close: async () => {
      closed = true;
      await committer.close();
      await database.close();
    },
  };
}

/** The queues by name; a purged one loses its name at once and lives on until its entries are gone. */
type Registry = {
  readonly named: (name: string) => QueueState;
  readonly retire: (name: string) => QueueState | undefined;
  readonly gone: (queue: QueueState) => void;
  readonly current: () => QueueState[];
  readonly all: () => Iterable<QueueState>;
};

function loadQueues(database: Database): Registry {
  const byName = new Map<string, QueueState>();
  const every = new Set<QueueState>();
  let lastId = 0;
  for (const { id, record } of database.queues()) {
    const queue = queueState(id, record);
    lastId = Math.max(lastId, id);
    every.add(queue);
    if (!record.retired) byName.set(record.name, queue);
  }
  return {
    named: name => {
      const known = byName.get(name);
      if (known !== undefined) return known;
      const queue = queueState(++lastId, { name, retired: false, depth: 0, bytes: 0 });
      byName.set(name, queue);
      every.add(queue);
      return queue;
    },
    retire: name => {
      const queue = byName.get(name);
      if (queue === undefined) return undefined;
      queue.retired = true;
      byName.delete(name);
      return queue;
    },
    gone: queue => {
      every.delete(queue);
    },
    current: () => Array.from(byName.values()),
    all: () => every,
  };
}

/** Keeps the counts true to what became of a commit. */
function accounting(
  log: Log,
  registry: Registry,
  counts: StoreCounts,
  usage: { bytes: number },
  room: Room,
): Pick<CommitHost, 'succeeded' | 'failed'> {
  let failing = false;
  return {
    succeeded: outcome => {
      if (failing) log.info('The store can be written again.');
      failing = false;
      counts.commits++;
      counts.written += outcome.written;
      usage.bytes -= outcome.freed;
      room.look(usage.bytes);
      for (const [queue, change] of outcome.changes) {
        queue.storedDepth += change.depth;
        queue.storedBytes += change.bytes;
      }
      for (const queue of outcome.gone) registry.gone(queue);
    },
    failed: (error, { appends }) => {
      counts.refused += appends.length;
      for (const { pending, holds } of appends) {
        usage.bytes -= pending.size + holds.length * ENTRY_OVERHEAD;
        for (const { open, queue } of holds) {
          if (!open) continue;
          queue.depth--;
          queue.bytes -= entryBytes(pending.size);
        }
      }
      if (!failing)
        log.error(`${reasonOf(error)} Messages that must be kept are refused until it works again.`);
      failing = true;
    },
  };
}

function statsOf(queue: QueueState, database: Database, now: number): QueueStats {
  let oldest: number | undefined;
  for (let priority = 0; priority < PRIORITIES; priority++) {
    const [first] = database.entries(queue.id, priority, 0, 1);
    const stored = first === undefined || queue.removing.has(first.sequence) ? undefined : first.arrived;
    const waiting = queue.uncommitted[priority]?.find(held => held.open)?.pending.arrived;
    for (const arrived of [stored, waiting]) {
      if (arrived !== undefined) oldest = Math.max(oldest ?? 0, now - arrived);
    }
  }
  return { queue: queue.name, depth: queue.depth, bytes: queue.bytes, oldest };
}

function emptyCounts(): StoreCounts {
  return {
    appended: 0,
    acknowledged: 0,
    spared: 0,
    expired: 0,
    purged: 0,
    corrupt: 0,
    refused: 0,
    commits: 0,
    written: 0,
  };
}

function shortest(...limits: readonly (number | undefined)[]): number | undefined {
  let least: number | undefined;
  for (const limit of limits)
    if (limit !== undefined && (least === undefined || limit < least)) least = limit;
  return least;
}
