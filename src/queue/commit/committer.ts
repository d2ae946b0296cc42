import type { Cancel, Clock } from '../../core/clock.ts';
import { Failure, reasonOf } from '../../core/errors.ts';
import type { OnDurable } from '../../core/message.ts';
import type { Pending, QueueState } from '../entries/queue-state.ts';
import { notifySender } from '../entries/queue-state.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import type { Journal } from '../journal/journal.ts';
import { COMMIT_RETRY_MS } from '../limits.ts';
import type { MetadataEntry } from '../types.ts';
import type { Batch } from './batch.ts';
import { emptyBatch } from './batch.ts';
import { encodeRun } from './encode-run.ts';
import { createPendingMemory } from './pending-memory.ts';
import type { CommitPlan } from './plan.ts';
import { isInFlight, planCommit } from './plan.ts';
import { deliveryWait, dueAt, nothingGathered } from './schedule.ts';

export type CommitHost = {
  readonly clock: Clock;
  readonly journal: Journal;
  /**
   * Returns the minimum milliseconds between two commits. A commit that fills a block of the disk does not
   * wait.
   */
  readonly window: () => number;
  /** Returns hub time (the hub's own clock for TTLs) in milliseconds. */
  readonly now: () => number;
  /**
   * True while the journal must not be written, because the file to overwrite contains data that is not in
   * LMDB yet.
   */
  readonly isJournalBlocked: () => boolean;
  /** Called after a successful commit, before the senders of its messages are notified. */
  readonly succeeded: (plan: CommitPlan) => void;
  /** Called after a failed commit, before the senders are notified. No message of the commit was stored. */
  readonly failed: (error: Failure, plan: CommitPlan) => void;
  /** True if a checkpoint is due. The next commit then includes all gathered data. */
  readonly isCheckpointDue: () => boolean;
  /** Called when all gathered data is committed. A checkpoint can then begin. */
  readonly onDrained: () => void;
  /** Reports an exception that the callback of a sender threw. */
  readonly onException: (thrown: unknown) => void;
  /** Called when `pendingBytes` has changed. */
  readonly pendingBytesChanged: () => void;
};

/**
 * Group commit: gathers writes while the previous commit is being written to the journal. The gathered writes
 * form the next run of the journal (the records that are written together).
 */
export type Committer = {
  /**
   * Adds a message and its metadata. `bytes` is the size of the body. `note` is undefined if there is no
   * metadata.
   */
  readonly append: (pending: Pending, bytes: number, note: MetadataEntry | undefined) => void;
  readonly remove: (removed: RemovedEntry, onDurable: OnDurable | undefined) => void;
  readonly put: (name: string, value: Buffer | undefined, onDurable: OnDurable) => void;
  readonly retire: (queue: QueueState) => void;
  /**
   * Calls `onDurable` after the next successful commit. Used after a failed commit, because the next commit
   * overwrites the incomplete data of the failed commit in the journal.
   */
  readonly confirm: (onDurable: OnDurable) => void;
  /** Returns the bytes of memory of messages that wait for the journal or are being written. */
  readonly pendingBytes: () => number;
  /** Metadata that is not in the journal yet, newest first. */
  readonly unwritten: () => readonly ReadonlyMap<string, Buffer | undefined>[];
  /** Commits all gathered data, then calls `onDrained`. */
  readonly flush: () => void;
  /** Begins a commit soon, even without data, to persist hub time (the clock for TTLs). */
  readonly persistClock: () => void;
  /** Called when the journal can be written again. Sets the timer of the next commit. */
  readonly resume: () => void;
  /** Commits all gathered data and stops. Resolves when the data is committed or refused. */
  readonly close: () => Promise<void>;
};

const NOTHING: ReadonlyMap<string, Buffer | undefined> = new Map();

export function createCommitter(host: CommitHost): Committer {
  const { clock, journal, window, now } = host;
  const gathering: Batch = emptyBatch();
  let gathered = nothingGathered();
  const memory = createPendingMemory();
  let committing: CommitPlan | undefined;
  let running: Promise<void> | undefined;
  let lastCommit = Number.NEGATIVE_INFINITY;
  let notBefore = Number.NEGATIVE_INFINITY;
  let timerAt = Number.POSITIVE_INFINITY;
  let cancel: Cancel | undefined;
  let isForced = false;
  let closing = false;

  const due = (): number =>
    Math.max(notBefore, isForced || host.isCheckpointDue() ? 0 : dueAt(gathered, window(), lastCommit));

  /**
   * Sets the timer of the next commit. Keeps the current timer if it ends early enough. Called for each
   * message, so most calls must not create a timer.
   */
  const schedule = (): void => {
    if (running !== undefined || closing) return;
    const at = due();
    if (at < timerAt) setTimer(at);
  };

  const setTimer = (at: number): void => {
    cancel?.();
    timerAt = at;
    cancel = clock.after(Math.max(0, at - clock.monotonic()), onTimer);
  };

  const onTimer = (): void => {
    timerAt = Number.POSITIVE_INFINITY;
    beginOrArm();
  };

  const beginOrArm = (): void => {
    const at = due();
    if (at === Number.POSITIVE_INFINITY || running !== undefined || closing) return;
    if (at > clock.monotonic()) setTimer(at);
    else commit(false);
  };

  const commit = (everything: boolean): void => {
    if (running !== undefined || host.isJournalBlocked()) return;
    cancel?.();
    timerAt = Number.POSITIVE_INFINITY;
    const all = everything || host.isCheckpointDue();
    const plan = planCommit(gathering, all ? Number.POSITIVE_INFINITY : now() - deliveryWait(window()) + 1);
    gathered = nothingGathered();
    memory.committing();
    for (const pending of gathering.appends) {
      memory.add(pending);
      noteInFlight(pending);
    }
    if (plan.writes === 0 && !isForced) {
      memory.committed();
      if (all) host.onDrained();
      schedule();
      return;
    }
    isForced = false;
    lastCommit = clock.monotonic();
    committing = plan;
    running = write(plan, all);
  };

  const noteInFlight = (pending: Pending): void => {
    gathered.messages++;
    gathered.firstInFlight = Math.min(gathered.firstInFlight, clock.monotonic() - (now() - pending.arrived));
  };

  const write = async (plan: CommitPlan, all: boolean): Promise<void> => {
    let error: Failure | undefined;
    try {
      await journal.append(encodeRun(plan, now(), journal.space));
    } catch (thrown) {
      error = new Failure('store.write', `The store cannot be written: ${reasonOf(thrown)}.`);
    }
    committing = undefined;
    running = undefined;
    memory.committed();
    if (error === undefined) succeed(plan);
    else fail(plan, error);
    if (all) host.onDrained();
    // Begins the next commit before the callbacks of the finished commit are called, so that the disk is not
    // idle.
    beginOrArm();
    for (const pending of plan.appends) if (!pending.durableFirst) finish(pending, error);
    for (const onDurable of plan.callbacks) call(onDurable, error);
    for (const pending of plan.durableFirst) finish(pending, error);
    host.pendingBytesChanged();
  };

  /**
   * Reports the result of the commit to the sender. Wakes the receivers if the delivery had to wait for the
   * commit. In all other cases the receivers were woken when the message was appended.
   */
  const finish = (pending: Pending, error: Failure | undefined): void => {
    try {
      notifySender(pending, error);
    } catch (thrown) {
      host.onException(thrown);
    }
    for (const { queue } of pending.laneEntries)
      if (pending.durableFirst || queue.durableFirst) queue.consumer?.wake();
  };

  const call = (onDurable: OnDurable, error: Failure | undefined): void => {
    try {
      onDurable(error);
    } catch (thrown) {
      host.onException(thrown);
    }
  };

  const succeed = (plan: CommitPlan): void => {
    notBefore = Number.NEGATIVE_INFINITY;
    for (const pending of plan.appends) {
      pending.stage = 'journaled';
      pending.message = undefined;
    }
    host.succeeded(plan);
  };

  const fail = (plan: CommitPlan, error: Failure): void => {
    notBefore = clock.monotonic() + COMMIT_RETRY_MS;
    for (const pending of plan.appends) pending.stage = 'failed';
    // Adds the failed removals to the next commit, so that a removed entry never reappears.
    gathering.removals = plan.removals.concat(gathering.removals);
    gathering.retired = plan.retired.concat(gathering.retired);
    if (gathering.removals.length + gathering.retired.length > 0) noteAwaited();
    host.failed(error, plan);
  };

  const noteAwaited = (): void => {
    const at = clock.monotonic();
    gathered.awaited++;
    gathered.firstAwaited = Math.min(gathered.firstAwaited, at);
    gathered.lastAwaited = at;
  };

  return {
    append: (pending, bytes, note) => {
      gathering.appends.push(pending);
      gathered.bytes += bytes;
      memory.add(pending);
      if (note !== undefined) gathering.metadata.set(note.name, note.value);
      if (isInFlight(pending)) noteInFlight(pending);
      else {
        gathered.messages++;
        noteAwaited();
      }
      schedule();
      host.pendingBytesChanged();
    },
    remove: (removed, onDurable) => {
      gathering.removals.push(removed);
      gathered.removals++;
      if (onDurable === undefined) {
        if (gathered.firstRemoval === Number.POSITIVE_INFINITY) gathered.firstRemoval = clock.monotonic();
      } else {
        gathering.callbacks.push(onDurable);
        noteAwaited();
      }
      schedule();
    },
    put: (name, value, onDurable) => {
      gathering.metadata.set(name, value);
      gathering.callbacks.push(onDurable);
      gathered.bytes += value?.length ?? 0;
      memory.addMetadata(name, value);
      noteAwaited();
      schedule();
      host.pendingBytesChanged();
    },
    retire: queue => {
      gathering.retired.push(queue);
      noteAwaited();
      schedule();
    },
    confirm: onDurable => {
      gathering.callbacks.push(onDurable);
      isForced = true;
      schedule();
    },
    pendingBytes: memory.bytes,
    unwritten: () => [gathering.metadata, committing?.metadata ?? NOTHING],
    flush: schedule,
    persistClock: () => {
      isForced = true;
      schedule();
    },
    resume: schedule,
    close: async () => {
      closing = true;
      // Three rounds: for the commit in progress, for the data gathered meanwhile, and for the data that
      // callbacks have added.
      for (let attempt = 0; attempt < 3; attempt++) {
        commit(true);
        await running;
      }
      cancel?.();
      const closed = new Failure('store.write', 'The store is closed: the hub has stopped.');
      for (const pending of gathering.appends.splice(0)) {
        if (pending.openCount > 0 || pending.durableFirst) notifySender(pending, closed);
      }
    },
  };
}
