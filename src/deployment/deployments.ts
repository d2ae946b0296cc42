import { Failure, isDiskFull, reasonOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Manifest } from '../manifest/types.ts';
import type { Provisions } from './artifacts.ts';
import type { Attempt, Ledger } from './deployment.ts';
import { titleOf } from './deployment.ts';
import type { Course } from './deployment-runner.ts';
import { failureOf } from './deployment-runner.ts';
import type { LedgerBook } from './deployment-state.ts';
import type { Taken } from './manifest-cache.ts';
import type { Archive } from './manifest-files.ts';
import type { Admission, Admitted } from './manifest-intake.ts';
import { linesOf } from './plan-text.ts';
import type { Renewal } from './self-update.ts';

/** Hubs that may go down while they carry out one change before it is given up. */
const MOST_TRIES = 3;

/** What a change that was asked for is, for whoever asked. */
export type Accepted = {
  readonly id: string;
  readonly title: string;
  /** What it changes, a line each. */
  readonly plan: readonly string[];
  /** Another hub is to carry it out, and takes this one's place for that. */
  readonly renews: boolean;
  /** Nothing differs, and all modules are well: nothing is done. */
  readonly unchanged: boolean;
};

export type DeploymentStatus = Omit<Ledger, 'given'> & {
  readonly download: ReturnType<Provisions['download']>;
};

/** What should run, and the way to it: one change at a time, watched, and undone if it does not work. */
export type Deployments = {
  /**
   * Brings up what should run: `given` if it is another than the last time, else what was applied last. Resolves when modules
   * are being started. Rejects with what hindered the hub from coming up.
   */
  readonly begin: (given: Admitted | undefined) => Promise<void>;
  /** Takes a manifest by its absolute path, and begins the change; one that is under way is left for it. */
  readonly apply: (file: string) => Promise<Accepted>;
  /** The same, but only says what would be done. */
  readonly preview: (file: string) => Promise<Accepted>;
  readonly status: () => DeploymentStatus;
  /** Leaves what is under way as it is: the next start goes on with it. */
  readonly stop: () => Promise<void>;
};

export type DeploymentsSettings = {
  readonly log: Log;
  readonly book: LedgerBook;
  readonly archive: Archive;
  readonly taken: Taken;
  readonly admission: Admission;
  /** Refuses a manifest with a wrong route. Failure `route.syntax`. */
  readonly checkRoutes: (manifest: Manifest) => void;
  readonly course: Course;
  readonly renewal: Renewal;
  readonly provisions: Pick<Provisions, 'download'>;
};

function lostFailure(lost: string, cure: string): Failure {
  return new Failure('deployment.lost', `${lost}: ${cure}.`);
}

const SUPERSEDED = new Failure('deployment.superseded', 'A newer manifest has taken its place.');

export function createDeployments(settings: DeploymentsSettings): Deployments {
  const { log, book, archive, taken, admission, course, renewal } = settings;
  let abort = new AbortController();
  let underWay: Promise<void> = Promise.resolve();
  const begun = Promise.withResolvers<void>();
  let asked: Promise<unknown> = begun.promise;

  const leave = async (): Promise<void> => {
    abort.abort(SUPERSEDED);
    await underWay;
  };

  /** Begins what is to follow; `failed` hears what ended it, unless something else took its place. */
  const follow = (work: (signal: AbortSignal) => Promise<void>, failed: (thrown: unknown) => void): void => {
    const mine = new AbortController();
    abort = mine;
    underWay = work(mine.signal).catch((thrown: unknown) => {
      if (!mine.signal.aborted) failed(thrown);
    });
  };

  const complain = (thrown: unknown): void => log.error(`A deployment came to no end: ${reasonOf(thrown)}`);

  const newestWith = ({ id, serial }: Admitted['deployment']): Pick<Ledger, 'newest'> => {
    const { newest } = book.read();
    return { newest: serial === undefined ? newest : { serial, id } };
  };

  const planFor = ({ deployment, placed }: Admitted, renews: boolean): Accepted => {
    const plan = course.plan(placed);
    const { current, healthy, attempt } = book.read();
    const settled = attempt === undefined && current !== undefined && current.id === healthy?.id;
    return {
      id: deployment.id,
      title: titleOf(deployment),
      plan: linesOf(plan, renews),
      renews,
      unchanged: plan.steps.length === 0 && !renews && settled && course.isWell(),
    };
  };

  const admit = async (file: string): Promise<Admitted> => {
    const admitted = await admission.read(file);
    await admission.vouch(admitted, book.read());
    settings.checkRoutes(admitted.placed.manifest);
    return admitted;
  };

  const change = async (file: string): Promise<Accepted> => {
    const admitted = await admit(file);
    const { deployment: target, text, placed } = admitted;
    const renews = await renewal.isDue(placed);
    // What cannot be kept is refused while what is under way goes on, which may forget it again at its end.
    archive.keep(target.id, text);
    // What became of a hub before is no answer to this change.
    renewal.forgetReturn();
    await leave();
    const accepted = planFor(admitted, renews);
    if (archive.read(target.id) === undefined) archive.keep(target.id, text);
    const newest = newestWith(target);
    const noted = Promise.withResolvers<void>();
    follow(
      async signal => {
        if (accepted.unchanged) {
          taken.know(target, placed);
          const outcome = { id: target.id, result: 'healthy', failure: undefined } as const;
          await course.settle({ ...newest, current: target, healthy: target, outcome }, signal);
          return;
        }
        const begun: Attempt = { target, phase: 'applying', step: 0, of: 0, label: '', tries: 1 };
        await book.write({ ...newest, attempt: begun }, signal);
        noted.resolve();
        await course.attempt(begun, placed, signal);
      },
      thrown => {
        complain(thrown);
        const { outcome } = book.read();
        const failed = { id: target.id, result: 'failed', failure: failureOf(thrown) } as const;
        book.note({ attempt: undefined, outcome: outcome?.id === target.id ? outcome : failed });
      },
    );
    await Promise.race([noted.promise, underWay]);
    return accepted;
  };

  /** Goes on with a change that a hub did not bring to its end. */
  const resume = async (interrupted: Attempt, signal: AbortSignal): Promise<void> => {
    const { target, phase, tries } = interrupted;
    const trial = renewal.state();
    if (trial.kind === 'returned') {
      const sentence = `The new hub did not work: ${trial.reason}.`;
      const told = phase === 'returning' ? book.read().outcome?.failure : undefined;
      const failure = told ?? ({ code: 'update.failed', sentence } as const);
      // Noted first: a hub that goes down in between must not begin the change anew.
      const outcome = { id: target.id, result: 'returned', failure } as const;
      await book.write({ attempt: { ...interrupted, phase: 'returning' }, outcome }, signal);
      renewal.forgetReturn();
      return course.goBack(interrupted, failure, signal);
    }
    // What a hub on trial takes down with it is counted by its guard.
    if (trial.kind === 'on-trial') return attemptAgain(interrupted, signal);
    if (phase === 'returning') return course.goBack(interrupted, book.read().outcome?.failure, signal);
    const where = phase === 'watching' ? 'while it was watched' : `at step ${interrupted.step}`;
    if (tries >= MOST_TRIES) {
      const sentence = `The hub went down ${tries} times, the last time ${where}.`;
      return course.goBack(interrupted, { code: 'deployment.unhealthy', sentence }, signal);
    }
    log.warn(`${titleOf(target)} was interrupted ${where}: it is begun anew.`);
    const again: Attempt = { ...interrupted, phase: 'applying', tries: tries + 1 };
    await book.write({ attempt: again }, signal);
    return attemptAgain(again, signal);
  };

  const attemptAgain = (attempt: Attempt, signal: AbortSignal): Promise<void> => {
    const found = taken.find(attempt.target);
    return 'placed' in found
      ? course.attempt(attempt, found.placed, signal)
      : course.goBack(attempt, failureOf(lostFailure(found.lost, 'apply it again')), signal);
  };

  /** On a full disk it runs all the same, for this start: a module of it may be what makes room. */
  const keepUnlessFull = (deployment: Admitted['deployment'], text: string): void => {
    try {
      archive.keep(deployment.id, text);
    } catch (thrown) {
      if (!isDiskFull(thrown)) throw thrown;
      log.error(
        `${titleOf(deployment)} runs but is not kept (${reasonOf(thrown)}): make room, and start the hub with it again.`,
      );
    }
  };

  /** What was given to this start is what runs from now on. */
  const take = async (given: Admitted, signal: AbortSignal): Promise<void> => {
    const { deployment, text, placed } = given;
    await admission.vouch(given, book.read());
    keepUnlessFull(deployment, text);
    const begun = { given: deployment.id, current: deployment, attempt: undefined, outcome: undefined };
    book.note({ ...newestWith(deployment), ...begun });
    return course.bringUp(deployment, placed, signal, 'first');
  };

  /** In place of a manifest that is lost: the last healthy set, or what was given. Failure `deployment.lost`: there is neither. */
  const bringUpInstead = (lost: string, given: Admitted | undefined, signal: AbortSignal): Promise<void> => {
    const { current, healthy } = book.read();
    const isGiven = given !== undefined && given.deployment.id === current?.id;
    const instead = isGiven || healthy?.id === current?.id ? undefined : healthy && taken.find(healthy);
    if (healthy !== undefined && instead !== undefined && 'placed' in instead) {
      log.error(`${lost}: the last healthy set runs instead, ${titleOf(healthy)}.`);
      book.note({ current: healthy });
      return course.bringUp(healthy, instead.placed, signal, 'as far as it can be');
    }
    if (given === undefined) throw lostFailure(lost, 'start the hub with another, "skerry up <manifest>"');
    log.error(`${lost}: the one that the hub was started with is taken anew.`);
    return take(given, signal);
  };

  const beginWith = async (given: Admitted | undefined, signal: AbortSignal): Promise<void> => {
    const ledger = book.read();
    const isNew = given?.deployment.id !== ledger.given;
    const isEmpty = ledger.current === undefined && ledger.attempt === undefined;
    if (given !== undefined && (isNew || isEmpty)) return take(given, signal);
    if (ledger.attempt !== undefined) return resume(ledger.attempt, signal);
    if (ledger.current === undefined) {
      log.info('Nothing is deployed yet: "skerry apply <manifest>" does it.');
      return;
    }
    const { current } = ledger;
    const isGiven = given?.deployment.id === current.id;
    const found = taken.find(current, isGiven ? given : undefined);
    if ('lost' in found) return bringUpInstead(found.lost, given, signal);
    if (given !== undefined && !isGiven)
      log.info(
        `The manifest is the one of an earlier start: what was applied since runs, ${titleOf(current)}.`,
      );
    // What never worked keeps no hub from coming up, to be given something better.
    const isProven = ledger.healthy?.id === current.id || isGiven;
    return course.bringUp(current, found.placed, signal, isProven ? 'proven' : 'as far as it can be');
  };

  return {
    begin: given =>
      new Promise((resolve, reject) => {
        let isUp = false;
        const up = (): void => {
          isUp = true;
          resolve();
        };
        void course.hubIsUp.then(up);
        // Before it is up, whoever starts it is told.
        follow(
          signal => beginWith(given, signal).then(up),
          thrown => (isUp ? complain(thrown) : reject(thrown)),
        );
        begun.resolve();
      }),
    apply: file => {
      const accepted = asked.then(() => change(file));
      asked = accepted.catch(() => {});
      return accepted;
    },
    preview: async file => {
      const admitted = await admit(file);
      return planFor(admitted, await renewal.isDue(admitted.placed));
    },
    status: () => {
      const { given: _, ...status } = book.told();
      return { ...status, download: settings.provisions.download() };
    },
    stop: async () => {
      await leave();
      const { attempt } = book.read();
      // A hub that was told to stop has not failed.
      if (attempt !== undefined) book.note({ attempt: { ...attempt, tries: attempt.tries - 1 } });
    },
  };
}
