import type { Cancel, Clock } from '../core/clock.ts';
import { Failure, reasonOf } from '../core/errors.ts';
import { COMMIT_MESSAGES, COMMIT_RETRY, COMMIT_WINDOW, REMOVAL_WINDOW } from '../core/limits.ts';
import type { Settle } from '../core/message.ts';
import type { Database } from './database.ts';
import type { Batch, Pending, QueueState, Removal } from './ledger.ts';
import { dropCommitted, emptyBatch } from './ledger.ts';
import type { Outcome, Plan } from './plan.ts';
import { applyPlan, planOf } from './plan.ts';

/** Commits at the end: the running one, what gathered meanwhile, and what that one's settling brought. */
const CLOSING_COMMITS = 3;

export type CommitHost = {
  readonly clock: Clock;
  readonly database: Database;
  /** Hub time in milliseconds. */
  readonly now: () => number;
  readonly succeeded: (outcome: Outcome) => void;
  /** What the plan would have added is kept nowhere; the senders are told afterwards. */
  readonly failed: (error: Error, plan: Plan) => void;
};

/** Groups writes into transactions: while one is in flight the next gathers. */
export type Committer = {
  readonly append: (pending: Pending) => void;
  readonly remove: (removal: Removal) => void;
  readonly put: (name: string, value: Buffer | undefined, settle: Settle) => void;
  /** The value of settled state that is on its way to the disk, if one is. */
  readonly unwritten: (name: string) => { readonly value: Buffer | undefined } | undefined;
  readonly retire: (queue: QueueState) => void;
  /** Commits soon even if nothing was asked for: it persists hub time. */
  readonly touch: () => void;
  /** Resolves when all that was gathered is on disk or was refused. */
  readonly close: () => Promise<void>;
};

export function createCommitter(host: CommitHost): Committer {
  const { clock, database } = host;
  let gathering = emptyBatch();
  let committing: Batch | undefined;
  let running: Promise<void> | undefined;
  let storedBytes = database.bytes();
  let due = Number.POSITIVE_INFINITY;
  let cancel: Cancel | undefined;
  let touched = false;
  let failing = false;

  const schedule = (wait: number): void => {
    const at = clock.monotonic() + wait;
    if (at >= due) return;
    due = at;
    if (running === undefined) arm();
  };

  const arm = (): void => {
    cancel?.();
    cancel = clock.after(Math.max(0, due - clock.monotonic()), commit);
  };

  const commit = (): void => {
    if (running !== undefined) return;
    cancel?.();
    due = Number.POSITIVE_INFINITY;
    const batch = gathering;
    gathering = emptyBatch();
    const plan = planOf(batch);
    if (plan.writes === 0 && !touched) {
      dropCommitted(batch.appends);
      return;
    }
    touched = false;
    committing = batch;
    running = write(batch, plan);
  };

  const write = async (batch: Batch, plan: Plan): Promise<void> => {
    let outcome: Outcome | undefined;
    let thrown: unknown;
    try {
      await database.write(writer => {
        outcome = applyPlan(plan, writer, host.now(), storedBytes);
      });
    } catch (error) {
      outcome = undefined;
      thrown = error;
    }
    if (outcome === undefined) fail(batch, plan, thrown);
    else succeed(batch, plan, outcome);
    running = undefined;
    committing = undefined;
    if (gathering.appends.length >= COMMIT_MESSAGES && !failing) commit();
    else if (due !== Number.POSITIVE_INFINITY) arm();
  };

  const succeed = (batch: Batch, plan: Plan, outcome: Outcome): void => {
    failing = false;
    storedBytes += outcome.added - outcome.freed;
    for (const { pending } of plan.appends) pending.stage = 'stored';
    for (const { queue, sequence } of batch.removals) queue.removing.delete(sequence);
    dropCommitted(batch.appends);
    host.succeeded(outcome);
    for (const { pending } of plan.appends) pending.settle();
    for (const settle of batch.settles) settle();
  };

  const fail = (batch: Batch, plan: Plan, thrown: unknown): void => {
    const error = new Failure('store.write', `The store cannot be written: ${reasonOf(thrown)}.`);
    failing = true;
    for (const { pending } of plan.appends) pending.stage = 'failed';
    dropCommitted(batch.appends);
    // What was let go of is let go of: its removal is tried again, so it never comes back.
    gathering.removals = batch.removals.concat(gathering.removals);
    gathering.retired = batch.retired.concat(gathering.retired);
    host.failed(error, plan);
    for (const { pending } of plan.appends) pending.settle(error);
    for (const settle of batch.settles) settle(error);
    schedule(COMMIT_RETRY);
  };

  return {
    append: pending => {
      gathering.appends.push(pending);
      // A disk that fails is tried once in a while, not with every message.
      schedule(failing ? COMMIT_RETRY : COMMIT_WINDOW);
      if (gathering.appends.length === COMMIT_MESSAGES && !failing) commit();
    },
    remove: removal => {
      removal.queue.removing.add(removal.sequence);
      gathering.removals.push(removal);
      schedule(REMOVAL_WINDOW);
    },
    put: (name, value, settle) => {
      gathering.settled.set(name, value);
      gathering.settles.push(settle);
      schedule(COMMIT_WINDOW);
    },
    unwritten: name => {
      for (const batch of [gathering, committing]) {
        if (batch?.settled.has(name)) return { value: batch.settled.get(name) };
      }
      return undefined;
    },
    retire: queue => {
      gathering.retired.push(queue);
      schedule(COMMIT_WINDOW);
    },
    touch: () => {
      touched = true;
      schedule(COMMIT_WINDOW);
    },
    close: async () => {
      touched = true;
      for (let attempt = 0; attempt < CLOSING_COMMITS; attempt++) {
        commit();
        await running;
      }
      cancel?.();
    },
  };
}
