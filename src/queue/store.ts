import { createGauge } from '../core/capacity/pressure.ts';
import { noteException } from '../core/containment.ts';
import { type Checkpoints, createCheckpoints } from './commit/checkpoint.ts';
import { type Committer, createCommitter } from './commit/committer.ts';
import { recover } from './commit/recovery.ts';
import { emptyCounts } from './counts.ts';
import { type Attempts, openAttempts } from './delivery/attempts.ts';
import { createDeadLetters, type DeadLetterStore } from './delivery/dead-letters.ts';
import { createDrain, DAMAGED } from './delivery/drain.ts';
import { leaveSent, resumeSent } from './delivery/sent-positions.ts';
import { watchFreeSpace } from './disk/free-space.ts';
import { guardReads } from './disk/guard.ts';
import { cancelCheck, openFolder, requestCheck } from './disk/open-folder.ts';
import { createAppend, metadataRefusal } from './entries/append.ts';
import { browseLane, findEntry, firstOf, headsOf, statsOf } from './entries/browse.ts';
import { createDiskUsage } from './entries/disk-usage.ts';
import { createExpiry } from './entries/expiry.ts';
import { createDropReport } from './entries/overflow.ts';
import { isWaiting, release } from './entries/queue-state.ts';
import { loadQueues } from './entries/registry.ts';
import { createRemoval } from './entries/removal.ts';
import { CLOSED, damagedPage, unknownEntry } from './failures.ts';
import { createHealthTracker } from './health.ts';
import { createHubTime } from './hub-time.ts';
import { openJournal, readJournals } from './journal/journal.ts';
import { MAX_REMOVING } from './limits.ts';
import { startMaintenance } from './maintenance.ts';
import { createMetadata, isValidName, NAME_TOO_LONG } from './metadata.ts';
import { createRetained, type Retained } from './retained.ts';
import type { StoreSettings } from './settings.ts';
import { PRIORITIES, type Store, type StoreBounds } from './types.ts';

/**
 * Opens the durable queues in `folder`. The caller must hold the lock of the data folder.
 * @throws Failure `store.unreadable`, `store.newer`, `store.older`
 */
export async function openStore(settings: StoreSettings): Promise<Store> {
  const { folder, clock, log, resources } = settings;
  let bounds: StoreBounds = settings;
  const opened = await openFolder(folder, clock, log);
  const health = createHealthTracker(log);
  let damagedPages = false;
  const database = guardReads(opened.database, thrown => {
    damagedPages = true;
    health.reportFailure('pages', damagedPage(thrown));
    requestCheck(folder);
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
  const usage = createDiskUsage(database, journal, recovered.batch);
  const freeSpace = watchFreeSpace(folder);
  const counts = { ...emptyCounts(), corrupt: recovered.corrupt };
  const drops = createDropReport();
  const pressure = createGauge(settings.maxPendingBytes);
  // While the store cannot be written, it refuses messages. It then reports no pressure, because pressure
  // would pause the senders.
  const pendingBytesChanged = (): void => pressure.set(health.isFailing() ? 0 : committer.pendingBytes());
  let closed = false;
  if (damaged > 0)
    log.error(
      `${damaged} commits of the journal are damaged: the messages that only they contained are lost.`,
    );

  const committer: Committer = createCommitter({
    clock,
    journal,
    window: () => bounds.commitWindow,
    now,
    isJournalBlocked: () => checkpoints.blocked(),
    isCheckpointDue: () => checkpoints.due(),
    onDrained: () => checkpoints.begin(),
    onException: thrown => noteException(log, 'the callback of a stored message', thrown),
    pendingBytesChanged,
    succeeded: plan => {
      counts.commits++;
      health.reportSuccess('journal');
      usage.committed(plan.appends);
      checkpoints.committed(plan);
    },
    failed: (error, { appends }) => {
      health.reportFailure('journal', error);
      counts.refused += appends.length;
      for (const pending of appends) {
        for (const entry of pending.laneEntries) release(entry);
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
      hasWaiting: () => hasWaiting(),
      flush: () => committer.flush(),
      succeeded: ({ deletedQueues }, moves) => {
        counts.checkpoints++;
        health.reportSuccess('database');
        usage.checkpointed(moves);
        for (const queue of deletedQueues) registry.forget(queue);
      },
      failed: error => {
        health.reportFailure('database', error);
        pendingBytesChanged();
      },
      released: () => {
        freeSpace.measure(usage.used());
        committer.resume();
        maintenance.resume();
        for (const queue of registry.all()) queue.consumer?.reread();
      },
    },
    runs.length > 0 ? recovered.batch : undefined,
  );

  const metadata = createMetadata(database, () => [...committer.unwritten(), ...checkpoints.unwritten()]);
  const host = {
    maxPendingBytes: settings.maxPendingBytes,
    database,
    registry,
    committer,
    checkpoints,
    usage,
    freeSpace,
    health,
    counts,
    now,
  };
  const { remove, deadLetter } = createRemoval({
    ...host,
    deadLetters: () => deadLetters,
    attempts: () => attempts,
    closed: () => closed,
  });
  /**
   * Removes an entry. Discards the entries that the consumer of the queue has read ahead, because they can
   * include this entry.
   */
  const evict: typeof remove = (removed, reason, onDurable) => {
    removed.queue.consumer?.invalidate(removed.priority);
    remove(removed, reason, onDurable);
  };
  const appendMessage = createAppend({
    ...host,
    bounds: () => bounds,
    nextSequence: () => ++lastSequence,
    drop: removed => {
      drops.add(removed);
      evict(removed, 'overflowed');
    },
  });
  const append: Store['append'] = (message, destinations, onDurable, note) => {
    if (closed) onDurable(CLOSED);
    else if (note !== undefined && !isValidName(note.name)) onDurable(NAME_TOO_LONG);
    else if (destinations.length > 0) appendMessage(message, destinations, onDurable, note);
    else if (note !== undefined) committer.put(note.name, note.value, onDurable);
    else onDurable();
  };
  const put: Store['put'] = (name, value, onDurable) => {
    // Metadata can use the disk reserve, because metadata is small and is deleted as often as it is added.
    if (closed) onDurable(CLOSED);
    else if (isValidName(name)) committer.put(name, value, onDurable);
    else onDurable(NAME_TOO_LONG);
  };
  const deadLetters: DeadLetterStore = createDeadLetters({ now, ...metadata, put, append });
  const attempts: Attempts = openAttempts({
    queue: registry.byId,
    holds: (queue, sequence) => findEntry(queue, sequence, database) !== undefined,
    ...metadata,
    put,
  });
  const retained: Retained = createRetained({
    now,
    ...metadata,
    put,
    refusal: bytes => metadataRefusal({ ...host, maxSize: bounds.maxSize }, bytes),
    full: reason => health.reportFull('The retained messages', reason),
    resources,
    log,
  });
  const hasWaiting = (): boolean => retained.hasExpiring() || isWaiting(registry.all());
  const expiry = createExpiry({
    ...host,
    remove: evict,
    damaged: removed => deadLetter(removed, 'corrupt', DAMAGED),
    danglingIndex: checkpoints.remove,
  });
  const maintenance = startMaintenance({
    ...host,
    clock,
    expiry,
    retained,
    hasWaiting,
    drops,
    deadLetters,
    log,
    firstRoundDone: () => void (damagedPages || cancelCheck(folder)),
  });
  const drainHost = {
    database,
    now,
    remove,
    deadLetter,
    countRead: settings.countRead,
    anySentUpTo,
    saturated: () => checkpoints.busy() && registry.removing() >= MAX_REMOVING,
    attempts,
    onException: (queue: string, thrown: unknown) =>
      noteException(log, `the delivery of a message of the queue "${queue}"`, thrown),
    later: (action: () => void, milliseconds = 0) => void clock.after(milliseconds, action),
  };

  return {
    pressure,
    append,
    put,
    ...metadata,
    deadLetters,
    now,
    advance,
    flushSoon: committer.persistClock,
    setBounds: wanted => {
      bounds = wanted;
    },
    retained: {
      ...retained,
      set: (message, holder, onDurable) =>
        closed ? onDurable(CLOSED) : retained.set(message, holder, onDurable),
    },
    drain: (name, wanted) => createDrain(registry.findOrCreate(name), wanted, drainHost),
    peek: (name, limit, after) => {
      const queue = registry.find(name);
      return queue === undefined ? [] : firstOf(queue, limit, database, now(), after);
    },
    heads: (name, count) => {
      const queue = registry.find(name);
      return queue === undefined ? [] : headsOf(queue, count, database);
    },
    drop: (name, sequence, onDurable) => {
      const queue = registry.find(name);
      const removed = queue && findEntry(queue, sequence, database)?.removed;
      if (removed === undefined || removed.queue.consumer?.hasPassed(removed.priority, sequence) === true) {
        return onDurable(unknownEntry(name, sequence));
      }
      evict(removed, 'purged', onDurable);
    },
    assignShare: registry.assign,
    purge: name => {
      registry.unassign(name);
      const queue = registry.find(name);
      if (queue === undefined) return;
      queue.consumer?.stop();
      attempts.forgetAll(queue);
      registry.retire(queue);
      for (let priority = 0; priority < PRIORITIES; priority++) {
        for (const { removed } of browseLane(queue, priority)) remove(removed, 'purged');
      }
      committer.retire(queue);
    },
    stats: () => Array.from(registry.active(), queue => statsOf(queue, database, now())),
    statsOf: name => {
      const queue = registry.find(name);
      return queue && statsOf(queue, database, now());
    },
    sizeOf: name => registry.find(name) ?? { depth: 0, bytes: 0 },
    counts: () => ({ ...counts, written: journal.written() + database.written() }),
    health: () => ({
      ...health.report(),
      usedBytes: usage.used(),
      maxBytes: bounds.maxSize,
      letters: deadLetters.count(),
      setAside: opened.setAside,
    }),
    close: async () => {
      closed = true;
      maintenance.stop();
      await checkpoints.whenIdle();
      await committer.close();
      await checkpoints.close();
      journal.close();
      await database.close();
      leaveSent(folder, registry, anySentUpTo);
      if (!damagedPages) cancelCheck(folder);
    },
  };
}
