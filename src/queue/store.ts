import type { Clock } from '../core/clock.ts';
import { noteException } from '../core/containment.ts';
import type { Log } from '../core/log.ts';
import { createGauge } from '../core/pressure.ts';
import type { Resources } from '../core/resources.ts';
import { MAX_REMOVING } from '../core/store-limits.ts';
import type { Checkpoints } from './commit/checkpoint.ts';
import { createCheckpoints } from './commit/checkpoint.ts';
import type { Committer } from './commit/commit.ts';
import { createCommitter } from './commit/commit.ts';
import { recover } from './commit/recovery.ts';
import { emptyCounts } from './counts.ts';
import { guardReads } from './disk/guard.ts';
import { openJournal, readJournals } from './disk/journal.ts';
import { openFolder, suspect, trust } from './disk/opening.ts';
import { watchRoom } from './disk/room.ts';
import { type Attempts, openAttempts } from './entries/attempts.ts';
import { browseLane, findEntry, firstOf, headsOf, statsOf } from './entries/browse.ts';
import { createDeparture } from './entries/departure.ts';
import { createDrain, DAMAGED } from './entries/drain.ts';
import { createExpiry } from './entries/expiry.ts';
import { createIntake, settledRefusal } from './entries/intake.ts';
import { isWaiting, letGo } from './entries/ledger.ts';
import type { Letters } from './entries/letters.ts';
import { createLetters } from './entries/letters.ts';
import { createDrops } from './entries/overflow.ts';
import { loadQueues } from './entries/registry.ts';
import type { Retained } from './entries/retained.ts';
import { createRetained } from './entries/retained.ts';
import { leaveSent, resumeSent } from './entries/sent.ts';
import { createUsage } from './entries/usage.ts';
import { CLOSED, damagedPage, unknownEntry } from './failures.ts';
import { createHealth } from './health.ts';
import { createHubTime } from './hubtime.ts';
import { startRounds } from './rounds.ts';
import { isNameable, settledOver, UNNAMEABLE } from './settled.ts';
import type { Store, StoreBounds } from './types.ts';
import { PRIORITIES } from './types.ts';

export type StoreSettings = StoreBounds & {
  /** Made if it is not there. */
  readonly folder: string;
  /** Bytes of memory that messages may take while they wait for the disk. */
  readonly gathered: number;
  /** Counts bytes of bodies that drains read into memory: their buffers are garbage soon. */
  readonly countRead: (bytes: number) => void;
  readonly clock: Clock;
  readonly resources: Pick<Resources, 'retained' | 'retainedBytes'>;
  readonly log: Log;
};

/**
 * Opens the durable queues under `folder`. The caller holds the data folder's lock.
 * @throws Failure `store.unreadable`, `store.newer`, `store.older`
 */
export async function openStore(settings: StoreSettings): Promise<Store> {
  const { folder, clock, log, resources } = settings;
  let bounds: StoreBounds = settings;
  const opened = await openFolder(folder, clock, log);
  const health = createHealth(log);
  let damagedPages = false;
  const database = guardReads(opened.database, thrown => {
    damagedPages = true;
    health.failing('pages', damagedPage(thrown));
    suspect(folder);
  });
  const saved = database.store();
  const { runs, damaged } = readJournals(folder, saved.salt, saved.generation);
  const registry = loadQueues(database);
  const recovered = recover(runs, registry, database);
  let lastSequence = Math.max(saved.lastSequence, recovered.lastSequence);
  const anySentUpTo = resumeSent(folder, registry, lastSequence);
  const generation = Math.max(saved.generation, runs.at(-1)?.generation ?? 0);
  const journal = openJournal(folder, saved.salt, generation + 1);
  const { now, advance } = createHubTime(clock, Math.max(saved.hubTime, recovered.hubTime));
  const usage = createUsage(database, journal, recovered.batch);
  const room = watchRoom(folder);
  const counts = { ...emptyCounts(), corrupt: recovered.corrupt };
  const drops = createDrops();
  const pressure = createGauge(settings.gathered);
  // A store that cannot be written refuses messages: nobody waits for it.
  const heldChanged = (): void => pressure.set(health.isFailing() ? 0 : committer.heldBytes());
  let closed = false;
  if (damaged > 0) log.error(`${damaged} commits of the journal are damaged: what only they held is lost.`);

  const committer: Committer = createCommitter({
    clock,
    journal,
    window: () => bounds.commitWindow,
    now,
    held: () => checkpoints.blocked(),
    takesAll: () => checkpoints.due(),
    settled: () => checkpoints.begin(),
    threw: thrown => noteException(log, 'the sender of a message', thrown),
    heldChanged,
    succeeded: plan => {
      counts.commits++;
      health.working('journal');
      usage.committed(plan.appends);
      checkpoints.committed(plan);
    },
    failed: (error, { appends }) => {
      health.failing('journal', error);
      counts.refused += appends.length;
      for (const pending of appends) {
        for (const held of pending.held) letGo(held);
        usage.release(pending);
      }
    },
  });

  const checkpoints: Checkpoints = createCheckpoints(
    {
      clock,
      database,
      journal,
      salt: saved.salt,
      now,
      lastSequence: () => lastSequence,
      queues: registry.all,
      waiting: () => waiting(),
      flush: () => committer.flush(),
      succeeded: ({ gone }, moves) => {
        counts.checkpoints++;
        health.working('database');
        usage.checkpointed(moves);
        for (const queue of gone) registry.gone(queue);
      },
      failed: error => {
        health.failing('database', error);
        heldChanged();
      },
      released: () => {
        room.look(usage.used());
        committer.resume();
        rounds.resume();
        for (const queue of registry.all()) queue.consumer?.reread();
      },
    },
    runs.length > 0 ? recovered.batch : undefined,
  );

  const settled = settledOver(database, () => [...committer.unwritten(), ...checkpoints.unwritten()]);
  const { gathered } = settings;
  const host = { gathered, database, registry, committer, checkpoints, usage, room, health, counts, now };
  const { release, bury } = createDeparture({
    ...host,
    letters: () => letters,
    attempts: () => attempts,
    closed: () => closed,
  });
  /** An entry leaves that its consumer may have read ahead. */
  const evict: typeof release = (leaving, reason, settle) => {
    leaving.queue.consumer?.forget(leaving.priority);
    release(leaving, reason, settle);
  };
  const take = createIntake({
    ...host,
    bounds: () => bounds,
    nextSequence: () => ++lastSequence,
    drop: leaving => {
      drops.note(leaving);
      evict(leaving, 'overflowed');
    },
  });
  const append: Store['append'] = (message, destinations, settle, note) => {
    if (closed) settle(CLOSED);
    else if (note !== undefined && !isNameable(note.name)) settle(UNNAMEABLE);
    else if (destinations.length > 0) take(message, destinations, settle, note);
    else if (note !== undefined) committer.put(note.name, note.value, settle);
    else settle();
  };
  const put: Store['put'] = (name, value, settle) => {
    // Settled state is small, and deletes as often as it adds: the reserve of the disk is for it too.
    if (closed) settle(CLOSED);
    else if (isNameable(name)) committer.put(name, value, settle);
    else settle(UNNAMEABLE);
  };
  const letters: Letters = createLetters({ now, ...settled, put, append });
  const attempts: Attempts = openAttempts({
    queue: registry.byId,
    holds: (queue, sequence) => findEntry(queue, sequence, database) !== undefined,
    ...settled,
    put,
  });
  const retained: Retained = createRetained({
    now,
    ...settled,
    put,
    refusal: bytes => settledRefusal({ ...host, maxSize: bounds.maxSize }, bytes),
    full: reason => health.full('The retained messages', reason),
    resources,
    log,
  });
  const waiting = (): boolean => retained.waiting() || isWaiting(registry.all());
  const expiry = createExpiry({
    ...host,
    release: evict,
    damaged: leaving => bury(leaving, 'corrupt', DAMAGED),
    strayed: checkpoints.remove,
  });
  const rounds = startRounds({
    ...host,
    clock,
    expiry,
    retained,
    waiting,
    drops,
    log,
    lasted: () => void (damagedPages || trust(folder)),
  });
  const drainHost = {
    database,
    now,
    release,
    bury,
    countRead: settings.countRead,
    anySentUpTo,
    saturated: () => checkpoints.busy() && registry.removing() >= MAX_REMOVING,
    attempts,
    threw: (queue: string, thrown: unknown) =>
      noteException(log, `the delivery of a message of the queue "${queue}"`, thrown),
    later: (action: () => void, milliseconds = 0) => void clock.after(milliseconds, action),
  };

  return {
    pressure,
    append,
    put,
    ...settled,
    letters,
    now,
    advance,
    hurry: committer.touch,
    bound: wanted => {
      bounds = wanted;
    },
    retained: {
      ...retained,
      set: (message, holder, settle) => (closed ? settle(CLOSED) : retained.set(message, holder, settle)),
    },
    drain: (name, wanted) => createDrain(registry.named(name), wanted, drainHost),
    peek: (name, limit, after) => {
      const queue = registry.find(name);
      return queue === undefined ? [] : firstOf(queue, limit, database, now(), after);
    },
    heads: (name, count) => {
      const queue = registry.find(name);
      return queue === undefined ? [] : headsOf(queue, count, database);
    },
    drop: (name, sequence, settle) => {
      const queue = registry.find(name);
      const leaving = queue && findEntry(queue, sequence, database)?.leaving;
      if (leaving === undefined || leaving.queue.consumer?.passed(leaving.priority, sequence) === true) {
        return settle(unknownEntry(name, sequence));
      }
      evict(leaving, 'purged', settle);
    },
    assign: registry.assign,
    purge: name => {
      registry.release(name);
      const queue = registry.find(name);
      if (queue === undefined) return;
      queue.consumer?.stop();
      attempts.forgetAll(queue);
      registry.retire(queue);
      for (let priority = 0; priority < PRIORITIES; priority++) {
        for (const { leaving } of browseLane(queue, priority)) release(leaving, 'purged');
      }
      committer.retire(queue);
    },
    stats: () => Array.from(registry.current(), queue => statsOf(queue, database, now())),
    statsOf: name => {
      const queue = registry.find(name);
      return queue && statsOf(queue, database, now());
    },
    sizeOf: name => registry.find(name) ?? { depth: 0, bytes: 0 },
    counts: () => ({ ...counts, written: journal.written() + database.written() }),
    health: () => ({
      ...health.report(),
      used: usage.used(),
      maxSize: bounds.maxSize,
      letters: letters.count(),
      setAside: opened.setAside,
    }),
    close: async () => {
      closed = true;
      rounds.stop();
      await checkpoints.settle();
      await committer.close();
      await checkpoints.close();
      journal.close();
      await database.close();
      leaveSent(folder, registry, anySentUpTo);
      if (!damagedPages) trust(folder);
    },
  };
}
