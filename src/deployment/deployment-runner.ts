import type { Clock } from '../core/clock.ts';
import { Failure, reasonOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Placed, Plan } from '../manifest/diff/plan.ts';
import { planOf } from '../manifest/diff/plan.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import { unlessAborted } from './abortable.ts';
import type { Attempt, Deployment, Ledger, Outcome } from './deployment.ts';
import { titleOf } from './deployment.ts';
import type { LedgerBook } from './deployment-state.ts';
import { isSame, pastOf } from './health-baseline.ts';
import { watchUntilWell } from './health-watch.ts';
import type { Taken } from './manifest-cache.ts';
import type { Baseline } from './module-health.ts';
import { baselineOf, isDown, verdictOf } from './module-health.ts';
import type { Conductor, Passage } from './plan-executor.ts';
import { LABEL_OF_RENEWAL, labelOf } from './plan-text.ts';
import type { Renewal } from './self-update.ts';

/** The courses that a deployment may take, each until its end or until its signal leaves it. */
export type Course = {
  /** The way from what runs; modules that do not run are started anew if nothing else is to be done. */
  readonly plan: (target: Placed) => Plan;
  /** Whether all modules of what runs are well. */
  readonly isWell: () => boolean;
  /** Resolves when modules are being started for the first time. */
  readonly hubIsUp: Promise<void>;
  /** Starts what should run; once it has been well for long enough it is what to come back to. */
  readonly bringUp: (
    deployment: Deployment,
    placed: Placed,
    signal: AbortSignal,
    how: 'first' | 'proven' | 'as far as it can be',
  ) => Promise<void>;
  /** Carries out a change, watches it, and undoes it if it does not work. */
  readonly attempt: (attempt: Attempt, placed: Placed, signal: AbortSignal) => Promise<void>;
  /** Goes to the last healthy set, or to the one before; what of it cannot be had is left out. */
  readonly goBack: (attempt: Attempt, why: Outcome['failure'], signal: AbortSignal) => Promise<void>;
  /** Notes how it came out, once it is on disk. */
  readonly settle: (change: Partial<Ledger>, signal: AbortSignal) => Promise<void>;
};

export type CourseSettings = {
  readonly clock: Clock;
  readonly log: Log;
  readonly book: LedgerBook;
  readonly taken: Taken;
  readonly conductor: Conductor;
  readonly renewal: Renewal;
  /** Throws the Failure of a program or file that the plan needs and this machine lacks. */
  readonly inspect: (target: Placed, plan: Plan) => Promise<void>;
  /** Removes what none of these needs. */
  readonly collect: (kept: readonly Placed[]) => Promise<void>;
  readonly statuses: () => ModuleStatus[];
  /** Tells of changes of the modules' states; returns what ends that. */
  readonly listen: (changed: () => void) => () => void;
};

const UNKNOWN = { code: 'deployment.unhealthy', sentence: 'It did not become healthy.' } as const;

export function createCourse(settings: CourseSettings): Course {
  const { clock, log, book, taken, conductor, renewal, statuses, listen } = settings;
  const hub = Promise.withResolvers<void>();
  const nothing = conductor.current();

  const settle: Course['settle'] = async (change, signal) => {
    await book.write({ attempt: undefined, ...change }, signal);
    const { current, healthy } = book.read();
    await tidy(distinct([current, healthy])).catch((thrown: unknown) => {
      log.warn(`What is not needed any more stays where it is: ${reasonOf(thrown)}`);
    });
  };

  const tidy = async (kept: readonly Deployment[]): Promise<void> => {
    taken.only(kept);
    const found = kept.map(deployment => taken.find(deployment));
    const lost = found.find(one => 'lost' in one);
    // Nobody knows what that needs.
    if (lost !== undefined) throw new Failure('deployment.lost', `${lost.lost}.`);
    await settings.collect(found.flatMap(one => ('placed' in one ? [one.placed] : [])));
  };

  /** The way back is taken also if it cannot be noted. */
  const noteReturn = async (change: Partial<Ledger>, signal: AbortSignal): Promise<void> => {
    try {
      await book.write(change, signal);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      log.warn(`The way back could not be noted: ${reasonOf(thrown)}`);
    }
  };

  /** Notes each step in the store before it is taken; the next note says that it has been. */
  const journal =
    (attempt: Attempt | undefined, signal: AbortSignal): Passage['note'] =>
    async (step, index, of) => {
      if (step.kind === 'start') hub.resolve();
      if (attempt === undefined) return;
      const label = labelOf(step);
      const isReturning = attempt.phase === 'returning';
      const way = isReturning ? 'Back to before ' : '';
      log.info(`${way}${titleOf(attempt.target)}, step ${index} of ${of}: ${label}.`);
      const write = isReturning ? noteReturn : book.write;
      await write({ attempt: { ...attempt, step: index, of, label } }, signal);
    };

  const watch = (
    { manifest }: Placed,
    signal: AbortSignal,
    past: { readonly baseline: Baseline; readonly spared: ReadonlySet<string> } | 'patient',
  ): Promise<void> => {
    const { baseline, spared } =
      past === 'patient' ? { baseline: new Map(), spared: new Set<string>() } : past;
    const counted = manifest.modules.filter(({ name }) => !spared.has(name));
    const judged = new Map(counted.map(({ name, health }) => [name, health !== undefined]));
    return watchUntilWell({
      ...manifest.deployment,
      clock,
      listen,
      signal,
      patient: past === 'patient',
      judge: () => verdictOf(statuses(), judged, baseline),
    });
  };

  const becomeHealthy = async (
    deployment: Deployment,
    placed: Placed,
    signal: AbortSignal,
  ): Promise<void> => {
    const isOnTrial = renewal.state().kind === 'on-trial';
    if (book.read().healthy?.id === deployment.id && !isOnTrial) return;
    await watch(placed, signal, 'patient');
    renewal.confirm();
    log.info(`${titleOf(deployment)} is healthy.`);
    await settle({ healthy: deployment }, signal);
  };

  /** The last healthy set, or the one before; `lost`: why it is not the one that it should be. */
  const wayBack = ({ target }: Attempt): { back?: Deployment; placed?: Placed; lost: string } => {
    const { healthy, current } = book.read();
    let lost = '';
    for (const back of distinct([healthy, current])) {
      if (back.id === target.id) break;
      const found = taken.find(back);
      if ('placed' in found) return { back, placed: found.placed, lost };
      lost = ` ${found.lost}.`;
    }
    return { lost };
  };

  const goBack: Course['goBack'] = async (attempt, why = UNKNOWN, signal) => {
    const { target } = attempt;
    const returning: Attempt = { ...attempt, phase: 'returning' };
    if (renewal.state().kind === 'on-trial') {
      const outcome: Outcome = { id: target.id, result: 'returned', failure: why };
      log.error(`${titleOf(target)} does not work: ${why.sentence} The hub of before goes back.`);
      await book.write({ attempt: returning, outcome }, signal);
      renewal.giveUp(why.sentence);
      return handOver(signal);
    }
    const { back, placed, lost } = wayBack(attempt);
    const failure = { ...why, sentence: `${why.sentence}${lost}` };
    if (back === undefined || placed === undefined) {
      log.error(`${titleOf(target)} does not work, and there is nothing to go back to: ${failure.sentence}`);
      hub.resolve();
      // What was refused before anything was done must not run from the next start on.
      const now = conductor.current() === nothing ? book.read().current : target;
      return settle({ current: now, outcome: { id: target.id, result: 'failed', failure } }, signal);
    }
    log.error(`${titleOf(target)} does not work: ${failure.sentence} The hub goes back to ${titleOf(back)}.`);
    await noteReturn({ attempt: returning, outcome: { id: target.id, result: 'returned', failure } }, signal);
    try {
      await conductor.go(placed, { signal, note: journal(returning, signal), stubborn: true });
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      log.error(`Not all of ${titleOf(back)} could be had: ${reasonOf(thrown)}`);
    }
    hub.resolve();
    await settle({ current: back }, signal);
    await becomeHealthy(back, placed, signal);
  };

  /** Another hub goes on with what is noted; this one only waits for its end, and is up if only for that. */
  const handOver = (signal: AbortSignal): Promise<void> => {
    renewal.leave();
    hub.resolve();
    return unlessAborted(new Promise(() => {}), signal);
  };

  const withdraw = (undo: () => void): void => {
    try {
      undo();
    } catch (thrown) {
      log.error(`The new hub is tried at the next start all the same: ${reasonOf(thrown)}`);
    }
  };

  /** The new hub carries the change out, so that its manifest may say what only that knows. */
  const renew = async (begun: Attempt, placed: Placed, signal: AbortSignal): Promise<void> => {
    let undo = (): void => {};
    try {
      await conductor.prepare(placed, signal);
      // The new hub starts everything.
      await settings.inspect(placed, planOf(nothing, placed));
      undo = await renewal.stage(placed, signal);
      await book.write({ attempt: { ...begun, label: LABEL_OF_RENEWAL } }, signal);
    } catch (thrown) {
      withdraw(undo);
      if (signal.aborted) throw thrown;
      return goBack(begun, failureOf(thrown), signal);
    }
    log.info(`${titleOf(begun.target)} is carried out by the hub that it names.`);
    return handOver(signal);
  };

  /** Where nothing else is to be changed. */
  const downIn = (target: Placed): ReadonlySet<string> =>
    isSame(conductor.current(), target)
      ? new Set(statuses().flatMap(status => (isDown(status) ? [status.name] : [])))
      : new Set();

  return {
    plan: target => planOf(conductor.current(), target, downIn(target)),
    isWell: () => {
      const { modules } = conductor.current().manifest;
      const checked = new Map(modules.map(({ name, health }) => [name, health !== undefined]));
      return verdictOf(statuses(), checked, baselineOf(statuses())).kind === 'well';
    },
    hubIsUp: hub.promise,
    settle,
    goBack,
    bringUp: async (deployment, placed, signal, how) => {
      taken.know(deployment, placed);
      const stubborn = how === 'as far as it can be';
      const tolerates = toleratedBy(how);
      try {
        await conductor.go(placed, { signal, note: journal(undefined, signal), tolerates, stubborn });
      } catch (thrown) {
        if (signal.aborted || !stubborn) throw thrown;
        log.error(`Not all of ${titleOf(deployment)} could be had: ${reasonOf(thrown)}`);
      }
      hub.resolve();
      await becomeHealthy(deployment, placed, signal);
    },
    attempt: async (begun, placed, signal) => {
      const { target } = begun;
      if (await renewal.isDue(placed)) return renew(begun, placed, signal);
      taken.know(target, placed);
      const { current } = book.read();
      const settled = current && taken.find(current);
      const down = downIn(placed);
      const before = settled && 'placed' in settled ? settled.placed : undefined;
      const past = pastOf(before, conductor.current(), placed, down, statuses());
      for (const name of past.spared)
        log.warn(`Module "${name}" was not well before and is not changed: it does not count.`);
      try {
        const inspect = (plan: Plan): Promise<void> => settings.inspect(placed, plan);
        await conductor.go(placed, { signal, note: journal(begun, signal), inspect, stubborn: false, down });
        hub.resolve();
        await book.write({ attempt: { ...begun, phase: 'watching' } }, signal);
        await watch(placed, signal, past);
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        return goBack(begun, failureOf(thrown), signal);
      }
      log.info(`${titleOf(target)} is healthy.`);
      renewal.confirm();
      const outcome: Outcome = { id: target.id, result: 'healthy', failure: undefined };
      await settle({ current: target, healthy: target, outcome }, signal);
    },
  };
}

/**
 * Listeners that cannot be opened, and the password of an upstream, are tried again and hold up no start: an address may come
 * later than the hub. Only a person who starts a manifest for the first time is told at once that a port is in use, or that
 * the password was not sealed for this device.
 */
function toleratedBy(how: 'first' | 'proven' | 'as far as it can be'): NonNullable<Passage['tolerates']> {
  return (thrown, { kind }) => {
    if (!(thrown instanceof Failure)) return false;
    if (kind === 'listeners') return thrown.code === 'listener.refused' || how !== 'first';
    return kind === 'upstreams' && how !== 'first';
  };
}

function distinct(deployments: readonly (Deployment | undefined)[]): Deployment[] {
  const found = deployments.filter(one => one !== undefined);
  return found.filter(({ id }, index) => found.findIndex(other => other.id === id) === index);
}

export function failureOf(thrown: unknown): NonNullable<Outcome['failure']> {
  return thrown instanceof Failure
    ? { code: thrown.code, sentence: thrown.message }
    : { code: 'deployment.unhealthy', sentence: reasonOf(thrown) };
}
