import type { Cancel, Clock } from '../../core/clock.ts';
import { Failure, reasonOf } from '../../core/errors.ts';
import type { Settle } from '../../core/message.ts';
import { COMMIT_RETRY } from '../../core/store-limits.ts';
import type { Journal } from '../disk/journal.ts';
import type { Leaving } from '../entries/leaving.ts';
import type { Pending, QueueState } from '../entries/ledger.ts';
import { tellSender } from '../entries/ledger.ts';
import type { Note } from '../types.ts';
import type { Batch } from './batch.ts';
import { emptyBatch } from './batch.ts';
import { draftOf } from './content.ts';
import { createMemoryCount } from './memory.ts';
import type { Plan } from './plan.ts';
import { isUnderWay, takePlan } from './plan.ts';
import { deliveryWait, dueAt, nothingGathered } from './schedule.ts';

export type CommitHost = {
  readonly clock: Clock;
  readonly journal: Journal;
  /** Least milliseconds between two commits that hardly fill a block. */
  readonly window: () => number;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  /** True while the journal must not be written: the file it would take is not in LMDB yet. */
  readonly held: () => boolean;
  /** What was committed, before its senders are told. */
  readonly succeeded: (plan: Plan) => void;
  /** What the plan would have added is kept nowhere; the senders are told afterwards. */
  readonly failed: (error: Failure, plan: Plan) => void;
  /** True if a checkpoint is due: the next commit takes all that is gathered. */
  readonly takesAll: () => boolean;
  /** All that is gathered has been committed: the time to begin a checkpoint. */
  readonly settled: () => void;
  /** Notes what a sender threw when it was told of its message. */
  readonly threw: (thrown: unknown) => void;
  /** `heldBytes` has changed. */
  readonly heldChanged: () => void;
};

/** Groups writes into runs of the journal: while one is in flight the next gathers. */
export type Committer = {
  /** With the note that a firm message came with. */
  readonly append: (pending: Pending, bytes: number, note: Note | undefined) => void;
  readonly remove: (leaving: Leaving, settle: Settle | undefined) => void;
  readonly put: (name: string, value: Buffer | undefined, settle: Settle) => void;
  readonly retire: (queue: QueueState) => void;
  /** Calls `settle` behind the next commit that succeeds: a run that failed is overwritten then. */
  readonly confirm: (settle: Settle) => void;
  /** Bytes of memory of what waits for the journal, what is being written to it included. */
  readonly heldBytes: () => number;
  /** Settled state on its way to the journal, newest first. */
  readonly unwritten: () => readonly ReadonlyMap<string, Buffer | undefined>[];
  /** Commits all there is, and then calls `settled`. */
  readonly flush: () => void;
  /** Commits soon, even nothing: it persists hub time. */
  readonly touch: () => void;
  /** The journal may be written again. */
  readonly resume: () => void;
  /** Resolves when all that was gathered is in the journal or was refused. */
  readonly close: () => Promise<void>;
};

const NOTHING: ReadonlyMap<string, Buffer | undefined> = new Map();

export function createCommitter(host: CommitHost): Committer {
  const { clock, journal, window, now } = host;
  const gathering: Batch = emptyBatch();
  let gathered = nothingGathered();
  const memory = createMemoryCount();
  let committing: Plan | undefined;
  let running: Promise<void> | undefined;
  let lastCommit = Number.NEGATIVE_INFINITY;
  let notBefore = Number.NEGATIVE_INFINITY;
  let armed = Number.POSITIVE_INFINITY;
  let cancel: Cancel | undefined;
  let touched = false;
  let closing = false;

  const due = (): number =>
    Math.max(notBefore, touched || host.takesAll() ? 0 : dueAt(gathered, window(), lastCommit));

  /** Called with each message: it makes a timer only if the next commit is due earlier than the one it has. */
  const schedule = (): void => {
    if (running !== undefined || closing) return;
    const at = due();
    if (at < armed) arm(at);
  };

  const arm = (at: number): void => {
    cancel?.();
    armed = at;
    cancel = clock.after(Math.max(0, at - clock.monotonic()), rung);
  };

  const rung = (): void => {
    armed = Number.POSITIVE_INFINITY;
    beginOrArm();
  };

  const beginOrArm = (): void => {
    const at = due();
    if (at === Number.POSITIVE_INFINITY || running !== undefined || closing) return;
    if (at > clock.monotonic()) arm(at);
    else commit(false);
  };

  const commit = (everything: boolean): void => {
    if (running !== undefined || host.held()) return;
    cancel?.();
    armed = Number.POSITIVE_INFINITY;
    const all = everything || host.takesAll();
    const plan = takePlan(gathering, all ? Number.POSITIVE_INFINITY : now() - deliveryWait(window()) + 1);
    gathered = nothingGathered();
    memory.committing();
    for (const pending of gathering.appends) {
      memory.add(pending);
      underWay(pending);
    }
    if (plan.writes === 0 && !touched) {
      memory.committed();
      if (all) host.settled();
      schedule();
      return;
    }
    touched = false;
    lastCommit = clock.monotonic();
    committing = plan;
    running = write(plan, all);
  };

  const underWay = (pending: Pending): void => {
    gathered.messages++;
    gathered.firstUnderWay = Math.min(gathered.firstUnderWay, clock.monotonic() - (now() - pending.arrived));
  };

  const write = async (plan: Plan, all: boolean): Promise<void> => {
    let error: Failure | undefined;
    try {
      await journal.append(draftOf(plan, now(), journal.space));
    } catch (thrown) {
      error = new Failure('store.write', `The store cannot be written: ${reasonOf(thrown)}.`);
    }
    committing = undefined;
    running = undefined;
    memory.committed();
    if (error === undefined) succeed(plan);
    else fail(plan, error);
    if (all) host.settled();
    // What gathered meanwhile is on its way before the senders of this are told: the disk waits for nobody.
    beginOrArm();
    for (const pending of plan.appends) if (!pending.firm) conclude(pending, error);
    for (const settle of plan.settles) tell(settle, error);
    for (const pending of plan.firm) conclude(pending, error);
    host.heldChanged();
  };

  /** Tells the sender of a message. The receivers of a firm one may have it now, and what waited behind it. */
  const conclude = (pending: Pending, error: Failure | undefined): void => {
    try {
      tellSender(pending, error);
    } catch (thrown) {
      host.threw(thrown);
    }
    for (const { queue } of pending.held) if (pending.firm || queue.firm) queue.consumer?.wake();
  };

  const tell = (settle: Settle, error: Failure | undefined): void => {
    try {
      settle(error);
    } catch (thrown) {
      host.threw(thrown);
    }
  };

  const succeed = (plan: Plan): void => {
    notBefore = Number.NEGATIVE_INFINITY;
    for (const pending of plan.appends) {
      pending.stage = 'journaled';
      pending.message = undefined;
    }
    host.succeeded(plan);
  };

  const fail = (plan: Plan, error: Failure): void => {
    notBefore = clock.monotonic() + COMMIT_RETRY;
    for (const pending of plan.appends) pending.stage = 'failed';
    // What was let go of is let go of: its removal is tried again, so it never comes back.
    gathering.removals = plan.removals.concat(gathering.removals);
    gathering.retired = plan.retired.concat(gathering.retired);
    if (gathering.removals.length + gathering.retired.length > 0) awaitedNow();
    host.failed(error, plan);
  };

  const awaitedNow = (): void => {
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
      if (note !== undefined) gathering.settled.set(note.name, note.value);
      if (isUnderWay(pending)) underWay(pending);
      else {
        gathered.messages++;
        awaitedNow();
      }
      schedule();
      host.heldChanged();
    },
    remove: (leaving, settle) => {
      gathering.removals.push(leaving);
      gathered.removals++;
      if (settle === undefined) {
        if (gathered.firstRemoval === Number.POSITIVE_INFINITY) gathered.firstRemoval = clock.monotonic();
      } else {
        gathering.settles.push(settle);
        awaitedNow();
      }
      schedule();
    },
    put: (name, value, settle) => {
      gathering.settled.set(name, value);
      gathering.settles.push(settle);
      gathered.bytes += value?.length ?? 0;
      memory.addSettled(name, value);
      awaitedNow();
      schedule();
      host.heldChanged();
    },
    retire: queue => {
      gathering.retired.push(queue);
      awaitedNow();
      schedule();
    },
    confirm: settle => {
      gathering.settles.push(settle);
      touched = true;
      schedule();
    },
    heldBytes: memory.bytes,
    unwritten: () => [gathering.settled, committing?.settled ?? NOTHING],
    flush: schedule,
    touch: () => {
      touched = true;
      schedule();
    },
    resume: schedule,
    close: async () => {
      closing = true;
      // The commit in flight, what gathered meanwhile, and what that one's settling brought.
      for (let attempt = 0; attempt < 3; attempt++) {
        commit(true);
        await running;
      }
      cancel?.();
      const closed = new Failure('store.write', 'The store is closed: the hub has stopped.');
      for (const pending of gathering.appends.splice(0)) {
        if (pending.open > 0 || pending.firm) tellSender(pending, closed);
      }
    },
  };
}
