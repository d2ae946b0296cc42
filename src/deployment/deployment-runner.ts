import { abortable } from '../core/async/abortable.ts';
import type { Clock } from '../core/clock.ts';
import { Failure, reasonOf } from '../core/errors.ts';
import type { Placed, Plan } from '../manifest/diff/plan.ts';
import { planOf } from '../manifest/diff/plan.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import type { Deployment, DeploymentAttempt, DeploymentOutcome } from './deployment.ts';
import { titleOf } from './deployment.ts';
import { healthBaselineOf, isUnchanged } from './health-baseline.ts';
import { watchUntilHealthy } from './health-watch.ts';
import type { RestartBaseline } from './module-health.ts';
import { isDown, modulesHealth, restartBaselineOf } from './module-health.ts';
import type { ExecuteOptions, PlanExecutor } from './plan-executor.ts';
import { SELF_UPDATE_LABEL } from './plan-text.ts';
import type { DeploymentProgress, ProgressSettings } from './progress.ts';
import { createProgress, distinct } from './progress.ts';
import type { SelfUpdate } from './self-update.ts';

/**
 * Kind of the manifest that the hub starts with. `first`: given on the command line for the first time.
 * `proven`: healthy before, or given on the command line again. `best effort`: any other manifest; a failed
 * step does not stop the start.
 */
type StartKind = 'first' | 'proven' | 'best effort';

/** Operations on deployments. An operation ends when it is complete or when its signal aborts it. */
export type DeploymentRunner = {
  /**
   * Returns the plan from the current state to `target`. If `target` changes no settings, the plan restarts
   * the modules that are down.
   */
  readonly plan: (target: Placed) => Plan;
  /** True if all modules of the current manifest are healthy. */
  readonly isHealthy: () => boolean;
  /** Resolves before the hub starts its first module, or when there is no module to start. */
  readonly hubUp: Promise<void>;
  /**
   * Starts the current deployment at the start of the hub. Once this deployment has been healthy for long
   * enough, later rollbacks return to it.
   */
  readonly resumeCurrent: (
    deployment: Deployment,
    placed: Placed,
    signal: AbortSignal,
    kind: StartKind,
  ) => Promise<void>;
  /** Applies a manifest and watches the health of its modules. Rolls back if the deployment fails. */
  readonly apply: (attempt: DeploymentAttempt, placed: Placed, signal: AbortSignal) => Promise<void>;
  /**
   * Rolls back to the last healthy deployment, or to the previous deployment if none was healthy. A failed
   * step does not stop the rollback.
   */
  readonly rollBack: (
    attempt: DeploymentAttempt,
    why: DeploymentOutcome['failure'],
    signal: AbortSignal,
  ) => Promise<void>;
  /** Stores the result of an attempt durably, then removes the files that no deployment needs. */
  readonly finish: DeploymentProgress['finish'];
};

export type DeploymentRunnerSettings = ProgressSettings & {
  readonly clock: Clock;
  readonly executor: PlanExecutor;
  readonly selfUpdate: SelfUpdate;
  /** Throws a Failure if the plan needs a program or file that this machine does not have. */
  readonly preflight: (target: Placed, plan: Plan) => Promise<void>;
  readonly statuses: () => ModuleStatus[];
  /** Registers a callback for changes of module states. Returns a function that removes the callback. */
  readonly onStatusChange: (changed: () => void) => () => void;
};

/**
 * State of the modules before a deployment: their restart counts, and the names of modules whose health is
 * ignored.
 */
type HealthBaseline = { readonly baseline: RestartBaseline; readonly excluded: ReadonlySet<string> };

const UNKNOWN_FAILURE = {
  code: 'deployment.unhealthy',
  sentence: 'The deployment did not become healthy.',
} as const;

export function createDeploymentRunner(settings: DeploymentRunnerSettings): DeploymentRunner {
  const { clock, log, state, manifests, executor, selfUpdate, statuses, onStatusChange } = settings;
  const hubUp = Promise.withResolvers<void>();
  const nothing = executor.current();

  const { recordSteps, recordRollback, finish } = createProgress(settings);

  /**
   * Wraps the callback that runs before each step. The wrapper resolves `hubUp` before the first step that
   * starts modules, because such a step can take long.
   */
  const announceStart =
    (record?: ExecuteOptions['beforeStep']): ExecuteOptions['beforeStep'] =>
    async (step, index, of) => {
      if (step.kind === 'start') hubUp.resolve();
      await record?.(step, index, of);
    };

  /**
   * Waits until the modules are healthy. `before` is the state of the modules before the deployment. With
   * `before`, rejects if a module fails. Without `before`, waits until failed modules recover.
   */
  const watch = (
    { manifest }: Placed,
    signal: AbortSignal,
    before: HealthBaseline | undefined,
  ): Promise<void> => {
    const counted = manifest.modules.filter(({ name }) => before?.excluded.has(name) !== true);
    const watched = new Map(counted.map(({ name, health }) => [name, health !== undefined]));
    const baseline = before?.baseline ?? new Map();
    return watchUntilHealthy({
      ...manifest.deployment,
      clock,
      onStatusChange,
      signal,
      keepWaiting: before === undefined,
      health: () => modulesHealth(statuses(), watched, baseline),
    });
  };

  const becomeHealthy = async (
    deployment: Deployment,
    placed: Placed,
    signal: AbortSignal,
  ): Promise<void> => {
    const isOnTrial = selfUpdate.trial().kind === 'on-trial';
    if (state.read().healthy?.id === deployment.id && !isOnTrial) return;
    await watch(placed, signal, undefined);
    selfUpdate.confirmTrial();
    log.info(`${titleOf(deployment)} is healthy.`);
    await finish({ healthy: deployment }, signal);
  };

  /**
   * Returns the deployment to roll back to: the last healthy deployment, or the previous deployment if none
   * was healthy. If one of the two manifests cannot be read, `lost` is the reason.
   */
  const rollbackTarget = ({
    target,
  }: DeploymentAttempt): { previous?: Deployment; placed?: Placed; lost: string } => {
    const { healthy, current } = state.read();
    let lost = '';
    for (const previous of distinct([healthy, current])) {
      if (previous.id === target.id) break;
      const loaded = manifests.load(previous);
      if ('placed' in loaded) return { previous, placed: loaded.placed, lost };
      lost = ` ${loaded.lost}.`;
    }
    return { lost };
  };

  const rollBack: DeploymentRunner['rollBack'] = async (attempt, why = UNKNOWN_FAILURE, signal) => {
    const { target } = attempt;
    const title = titleOf(target);
    const returning: DeploymentAttempt = { ...attempt, phase: 'returning' };
    if (selfUpdate.trial().kind === 'on-trial') {
      const outcome: DeploymentOutcome = { id: target.id, result: 'returned', failure: why };
      log.error(
        `${title} failed: ${why.sentence} Starting the previous hub binary, which rolls back the deployment.`,
      );
      await state.write({ attempt: returning, outcome }, signal);
      selfUpdate.failTrial(why.sentence);
      return handOver(signal);
    }
    const { previous, placed, lost } = rollbackTarget(attempt);
    const failure = { ...why, sentence: `${why.sentence}${lost}` };
    if (previous === undefined || placed === undefined) {
      log.error(`${title} failed, and there is no earlier deployment to roll back to: ${failure.sentence}`);
      hubUp.resolve();
      // A hub that has applied nothing since its start keeps its current deployment. Otherwise the next start
      // of the hub would begin with the failed `target`.
      const current = executor.current() === nothing ? state.read().current : target;
      return finish({ current, outcome: { id: target.id, result: 'failed', failure } }, signal);
    }
    log.error(`${title} failed: ${failure.sentence} Rolling back to ${titleOf(previous)}.`);
    const outcome: DeploymentOutcome = { id: target.id, result: 'returned', failure };
    await recordRollback({ attempt: returning, outcome }, signal);
    try {
      const beforeStep = announceStart(recordSteps(returning, signal));
      await executor.execute(placed, { signal, beforeStep, continueOnError: true });
      log.info(`Rolled back to ${titleOf(previous)}.`);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      log.error(`Rolled back to ${titleOf(previous)} only in part: ${reasonOf(thrown)}`);
    }
    hubUp.resolve();
    await finish({ current: previous }, signal);
    await becomeHealthy(previous, placed, signal);
  };

  /**
   * Requests a restart with another hub binary. The other binary continues the deployment from the stored
   * state. Then waits for the abort signal, because this hub is about to stop.
   */
  const handOver = (signal: AbortSignal): Promise<void> => {
    selfUpdate.requestRestart();
    hubUp.resolve();
    return abortable(new Promise(() => {}), signal);
  };

  const cancelTrial = (cancel: () => void): void => {
    try {
      cancel();
    } catch (thrown) {
      log.error(`Cannot cancel the self-update, so the next start tries the new hub: ${reasonOf(thrown)}`);
    }
  };

  /**
   * Replaces the hub binary. Called before the manifest is applied, because the manifest can require features
   * of the new binary.
   */
  const updateHub = async (
    attempt: DeploymentAttempt,
    placed: Placed,
    signal: AbortSignal,
  ): Promise<void> => {
    let cancel = (): void => {};
    try {
      await executor.prepare(placed, signal);
      // The preflight checks the whole manifest, because the new hub binary starts all modules.
      await settings.preflight(placed, planOf(nothing, placed));
      cancel = await selfUpdate.stage(placed, signal);
      await state.write({ attempt: { ...attempt, label: SELF_UPDATE_LABEL } }, signal);
    } catch (thrown) {
      cancelTrial(cancel);
      if (signal.aborted) throw thrown;
      return rollBack(attempt, failureOf(thrown), signal);
    }
    log.info(`${titleOf(attempt.target)} requires another hub binary: the hub restarts with that binary.`);
    return handOver(signal);
  };

  /**
   * Returns the modules to restart. If `target` changes no settings, these are the modules that are down.
   * Otherwise the set is empty.
   */
  const modulesToRestart = (target: Placed): ReadonlySet<string> =>
    isUnchanged(executor.current(), target)
      ? new Set(statuses().flatMap(status => (isDown(status) ? [status.name] : [])))
      : new Set();

  const baselineFor = (target: Placed, forceRestart: ReadonlySet<string>): HealthBaseline => {
    const { current } = state.read();
    const loaded = current && manifests.load(current);
    const lastFinished = loaded && 'placed' in loaded ? loaded.placed : undefined;
    const before = healthBaselineOf(lastFinished, executor.current(), target, forceRestart, statuses());
    for (const name of before.excluded)
      log.warn(
        `Module "${name}" was unhealthy before this deployment and is unchanged: its health does not affect the result.`,
      );
    return before;
  };

  const apply: DeploymentRunner['apply'] = async (attempt, placed, signal) => {
    const { target } = attempt;
    if (await selfUpdate.isRequired(placed)) return updateHub(attempt, placed, signal);
    manifests.set(target, placed);
    const forceRestart = modulesToRestart(placed);
    const before = baselineFor(placed, forceRestart);
    try {
      const beforeStep = announceStart(recordSteps(attempt, signal));
      const preflight = (plan: Plan): Promise<void> => settings.preflight(placed, plan);
      const options = { signal, beforeStep, preflight, continueOnError: false, forceRestart };
      await executor.execute(placed, options);
      hubUp.resolve();
      await state.write({ attempt: { ...attempt, phase: 'watching' } }, signal);
      await watch(placed, signal, before);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      return rollBack(attempt, failureOf(thrown), signal);
    }
    log.info(`${titleOf(target)} is healthy.`);
    selfUpdate.confirmTrial();
    const outcome: DeploymentOutcome = { id: target.id, result: 'healthy', failure: undefined };
    await finish({ current: target, healthy: target, outcome }, signal);
  };

  const resumeCurrent: DeploymentRunner['resumeCurrent'] = async (deployment, placed, signal, kind) => {
    manifests.set(deployment, placed);
    const continueOnError = kind === 'best effort';
    const isTolerated = toleratedAt(kind);
    try {
      await executor.execute(placed, { signal, beforeStep: announceStart(), isTolerated, continueOnError });
    } catch (thrown) {
      if (signal.aborted || !continueOnError) throw thrown;
      log.error(`${titleOf(deployment)} runs only in part: ${reasonOf(thrown)}`);
    }
    hubUp.resolve();
    await becomeHealthy(deployment, placed, signal);
  };

  return {
    plan: target => planOf(executor.current(), target, modulesToRestart(target)),
    isHealthy: () => {
      const { modules } = executor.current().manifest;
      const watched = new Map(modules.map(({ name, health }) => [name, health !== undefined]));
      return modulesHealth(statuses(), watched, restartBaselineOf(statuses())).kind === 'healthy';
    },
    hubUp: hubUp.promise,
    resumeCurrent,
    apply,
    rollBack,
    finish,
  };
}

/**
 * Returns a predicate for failures that do not stop the start of the hub, because the component itself
 * retries. Examples are a listener that cannot be opened and an upstream whose password cannot be decrypted.
 * The first start of a manifest is stricter: a port in use or a password for another device stops the start,
 * because a user waits for the result.
 */
function toleratedAt(kind: StartKind): NonNullable<ExecuteOptions['isTolerated']> {
  return (thrown, step) => {
    if (!(thrown instanceof Failure)) return false;
    if (step.kind === 'listeners') return thrown.code === 'listener.refused' || kind !== 'first';
    return step.kind === 'upstreams' && kind !== 'first';
  };
}

export function failureOf(thrown: unknown): NonNullable<DeploymentOutcome['failure']> {
  return thrown instanceof Failure
    ? { code: thrown.code, sentence: thrown.message }
    : { code: 'deployment.unhealthy', sentence: reasonOf(thrown) };
}
