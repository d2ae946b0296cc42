import { Failure, isDiskFull, reasonOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Manifest } from '../manifest/types.ts';
import type { Artifacts } from './artifacts.ts';
import type { Deployment, DeploymentAttempt, DeploymentRecord } from './deployment.ts';
import { titleOf } from './deployment.ts';
import type { DeploymentRunner } from './deployment-runner.ts';
import { failureOf } from './deployment-runner.ts';
import type { DeploymentState } from './deployment-state.ts';
import type { ManifestCache } from './manifest-cache.ts';
import type { ManifestFiles } from './manifest-files.ts';
import type { IncomingManifest, ManifestIntake } from './manifest-intake.ts';
import { planLines } from './plan-text.ts';
import type { SelfUpdate } from './self-update.ts';

/** Maximum number of hub starts that apply the same deployment. The next start rolls the deployment back. */
const MAX_TRIES = 3;

/** Result of a request to apply a manifest. */
export type AcceptedDeployment = {
  readonly id: string;
  readonly title: string;
  /** Description of the plan with one line per change. */
  readonly plan: readonly string[];
  /**
   * True if the manifest requires another hub binary. The hub first starts the new binary, which then applies
   * the manifest.
   */
  readonly renews: boolean;
  /** True if the manifest changes nothing and all modules are healthy. */
  readonly unchanged: boolean;
};

export type DeploymentStatus = Omit<DeploymentRecord, 'given'> & {
  readonly download: ReturnType<Artifacts['download']>;
};

/**
 * Deployments of the hub, at most one at a time. A deployment that does not become healthy is rolled back.
 */
export type Deployments = {
  /**
   * Starts a deployment at the start of the hub. `given` is the manifest of the command line. Starts `given`
   * if the last command line had a different manifest, otherwise the last applied deployment. Resolves when
   * the hub is about to start its first module. Rejects if the hub cannot start.
   */
  readonly start: (given: IncomingManifest | undefined) => Promise<void>;
  /**
   * Applies the manifest at an absolute path. Aborts a deployment in progress. Resolves when the manifest is
   * stored, before it is applied.
   */
  readonly apply: (file: string) => Promise<AcceptedDeployment>;
  /** Returns the plan of a manifest without applying it. */
  readonly preview: (file: string) => Promise<AcceptedDeployment>;
  readonly status: () => DeploymentStatus;
  /** Aborts a deployment in progress. The next start of the hub resumes the deployment. */
  readonly stop: () => Promise<void>;
};

export type DeploymentsSettings = {
  readonly log: Log;
  readonly state: DeploymentState;
  readonly files: ManifestFiles;
  readonly manifests: ManifestCache;
  readonly intake: ManifestIntake;
  /** Throws Failure `route.syntax` if a route of the manifest is invalid. */
  readonly checkRoutes: (manifest: Manifest) => void;
  readonly runner: DeploymentRunner;
  readonly selfUpdate: SelfUpdate;
  readonly artifacts: Pick<Artifacts, 'download'>;
};

function lostFailure(lost: string, cure: string): Failure {
  return new Failure('deployment.lost', `${lost}: ${cure}.`);
}

const SUPERSEDED = new Failure('deployment.superseded', 'A newer manifest replaced this one.');

export function createDeployments(settings: DeploymentsSettings): Deployments {
  const { log, state, files, manifests, intake, runner, selfUpdate } = settings;
  let abort = new AbortController();
  let inProgress: Promise<void> = Promise.resolve();
  const started = Promise.withResolvers<void>();
  let lastRequest: Promise<unknown> = started.promise;

  const abortInProgress = async (): Promise<void> => {
    abort.abort(SUPERSEDED);
    await inProgress;
  };

  /**
   * Runs `work` in the background. Calls `failed` if `work` rejects. After an abort, a rejection is ignored.
   */
  const runInBackground = (
    work: (signal: AbortSignal) => Promise<void>,
    failed: (thrown: unknown) => void,
  ): void => {
    const controller = new AbortController();
    abort = controller;
    inProgress = work(controller.signal).catch((thrown: unknown) => {
      if (!controller.signal.aborted) failed(thrown);
    });
  };

  const logFailure = (thrown: unknown): void =>
    log.error(`The deployment failed unexpectedly: ${reasonOf(thrown)}`);

  const newestWith = ({ id, serial }: Deployment): Pick<DeploymentRecord, 'newest'> => {
    const { newest } = state.read();
    return { newest: serial === undefined ? newest : { serial, id } };
  };

  const planFor = ({ deployment, placed }: IncomingManifest, renews: boolean): AcceptedDeployment => {
    const plan = runner.plan(placed);
    const { current, healthy, attempt } = state.read();
    const isFinished = attempt === undefined && current !== undefined && current.id === healthy?.id;
    return {
      id: deployment.id,
      title: titleOf(deployment),
      plan: planLines(plan, renews),
      renews,
      unchanged: plan.steps.length === 0 && !renews && isFinished && runner.isHealthy(),
    };
  };

  const readAndVerify = async (file: string): Promise<IncomingManifest> => {
    const incoming = await intake.read(file);
    await intake.verify(incoming, state.read());
    settings.checkRoutes(incoming.placed.manifest);
    return incoming;
  };

  const apply = async (file: string): Promise<AcceptedDeployment> => {
    const incoming = await readAndVerify(file);
    const { deployment: target, text, placed } = incoming;
    const renews = await selfUpdate.isRequired(placed);
    // The manifest is saved before the deployment in progress is aborted. If the manifest cannot be saved
    // because the disk is full, the deployment in progress continues.
    files.save(target.id, text);
    selfUpdate.clearFailure();
    await abortInProgress();
    const accepted = planFor(incoming, renews);
    // Saves the manifest again if the aborted deployment has removed it. A deployment removes unused
    // manifests when it ends.
    if (files.read(target.id) === undefined) files.save(target.id, text);
    const newest = newestWith(target);
    const recorded = Promise.withResolvers<void>();
    runInBackground(
      async signal => {
        if (accepted.unchanged) {
          manifests.set(target, placed);
          const outcome = { id: target.id, result: 'healthy', failure: undefined } as const;
          await runner.finish({ ...newest, current: target, healthy: target, outcome }, signal);
          return;
        }
        const attempt: DeploymentAttempt = { target, phase: 'applying', step: 0, of: 0, label: '', tries: 1 };
        await state.write({ ...newest, attempt }, signal);
        recorded.resolve();
        await runner.apply(attempt, placed, signal);
      },
      thrown => {
        logFailure(thrown);
        const { outcome } = state.read();
        const failed = { id: target.id, result: 'failed', failure: failureOf(thrown) } as const;
        state.writeLazily({ attempt: undefined, outcome: outcome?.id === target.id ? outcome : failed });
      },
    );
    await Promise.race([recorded.promise, inProgress]);
    return accepted;
  };

  /** Resumes a deployment that an earlier hub process did not finish. */
  const resumeAttempt = async (interrupted: DeploymentAttempt, signal: AbortSignal): Promise<void> => {
    const { target, phase, tries } = interrupted;
    const trial = selfUpdate.trial();
    if (trial.kind === 'returned') {
      const sentence = `The new hub failed its trial: ${trial.reason}.`;
      const recorded = phase === 'returning' ? state.read().outcome?.failure : undefined;
      const failure = recorded ?? ({ code: 'update.failed', sentence } as const);
      // Stores the outcome before the failed trial of the new binary is cleared. A crash between these two
      // writes therefore does not repeat the self-update.
      const outcome = { id: target.id, result: 'returned', failure } as const;
      await state.write({ attempt: { ...interrupted, phase: 'returning' }, outcome }, signal);
      selfUpdate.clearFailure();
      return runner.rollBack(interrupted, failure, signal);
    }
    // MAX_TRIES does not apply to a hub on trial (a new binary that is not confirmed yet), because the
    // watchdog counts the starts of such a hub.
    if (trial.kind === 'on-trial') return applyAgain(interrupted, signal);
    if (phase === 'returning') return runner.rollBack(interrupted, state.read().outcome?.failure, signal);
    const where = phase === 'watching' ? 'while its health was watched' : `at step ${interrupted.step}`;
    if (tries >= MAX_TRIES) {
      const sentence = `The hub stopped unexpectedly ${tries} times, most recently ${where}.`;
      return runner.rollBack(interrupted, { code: 'deployment.unhealthy', sentence }, signal);
    }
    log.warn(`${titleOf(target)} was interrupted ${where}: applying it again.`);
    const again: DeploymentAttempt = { ...interrupted, phase: 'applying', tries: tries + 1 };
    await state.write({ attempt: again }, signal);
    return applyAgain(again, signal);
  };

  const applyAgain = (attempt: DeploymentAttempt, signal: AbortSignal): Promise<void> => {
    const loaded = manifests.load(attempt.target);
    return 'placed' in loaded
      ? runner.apply(attempt, loaded.placed, signal)
      : runner.rollBack(attempt, failureOf(lostFailure(loaded.lost, 'apply it again')), signal);
  };

  /**
   * Saves a manifest. Only logs an error if the disk is full, because a module of this manifest can free disk
   * space after its start.
   */
  const saveUnlessFull = (deployment: Deployment, text: string): void => {
    try {
      files.save(deployment.id, text);
    } catch (thrown) {
      if (!isDiskFull(thrown)) throw thrown;
      log.error(
        `${titleOf(deployment)} runs but cannot be saved (${reasonOf(thrown)}): free disk space and start the hub with this manifest again.`,
      );
    }
  };

  /** Starts the manifest of the command line as the current deployment. */
  const startGiven = async (given: IncomingManifest, signal: AbortSignal): Promise<void> => {
    const { deployment, text, placed } = given;
    await intake.verify(given, state.read());
    saveUnlessFull(deployment, text);
    const current = { given: deployment.id, current: deployment, attempt: undefined, outcome: undefined };
    state.writeLazily({ ...newestWith(deployment), ...current });
    return runner.resumeCurrent(deployment, placed, signal, 'first');
  };

  /**
   * Starts the last healthy deployment or `given` instead of the current deployment. Called if the manifest
   * of the current deployment cannot be read. Throws Failure `deployment.lost` if there is no replacement.
   */
  const startFallback = (
    lost: string,
    given: IncomingManifest | undefined,
    signal: AbortSignal,
  ): Promise<void> => {
    const { current, healthy } = state.read();
    const isGiven = given !== undefined && given.deployment.id === current?.id;
    const fallback = isGiven || healthy?.id === current?.id ? undefined : healthy && manifests.load(healthy);
    if (healthy !== undefined && fallback !== undefined && 'placed' in fallback) {
      log.error(`${lost}: rolling back to the last healthy deployment, ${titleOf(healthy)}.`);
      state.writeLazily({ current: healthy });
      return runner.resumeCurrent(healthy, fallback.placed, signal, 'best effort');
    }
    if (given === undefined) throw lostFailure(lost, 'start the hub with another, "skerry up <manifest>"');
    log.error(`${lost}: applying the manifest that "skerry up" names.`);
    return startGiven(given, signal);
  };

  const startWith = async (given: IncomingManifest | undefined, signal: AbortSignal): Promise<void> => {
    const record = state.read();
    const isNew = given?.deployment.id !== record.given;
    const isEmpty = record.current === undefined && record.attempt === undefined;
    if (given !== undefined && (isNew || isEmpty)) return startGiven(given, signal);
    if (record.attempt !== undefined) return resumeAttempt(record.attempt, signal);
    if (record.current === undefined) {
      log.info('Nothing is deployed yet: run "skerry apply <manifest>".');
      return;
    }
    const { current } = record;
    const isGiven = given?.deployment.id === current.id;
    const loaded = manifests.load(current, isGiven ? given : undefined);
    if ('lost' in loaded) return startFallback(loaded.lost, given, signal);
    if (given !== undefined && !isGiven)
      log.info(`Ignored the manifest of the command line, because ${titleOf(current)} was applied after it.`);
    // A manifest that was never healthy is started with best effort, so that the hub starts even if the
    // manifest fails. The hub can then apply another manifest.
    const isProven = record.healthy?.id === current.id || isGiven;
    return runner.resumeCurrent(current, loaded.placed, signal, isProven ? 'proven' : 'best effort');
  };

  return {
    start: given =>
      new Promise((resolve, reject) => {
        let isUp = false;
        const up = (): void => {
          isUp = true;
          resolve();
        };
        void runner.hubUp.then(up);
        // If the start fails before `hubUp` has resolved, the promise of `start` rejects. A later failure is
        // only logged.
        runInBackground(
          signal => startWith(given, signal).then(up),
          thrown => (isUp ? logFailure(thrown) : reject(thrown)),
        );
        started.resolve();
      }),
    apply: file => {
      const accepted = lastRequest.then(() => apply(file));
      lastRequest = accepted.catch(() => {});
      return accepted;
    },
    preview: async file => {
      const incoming = await readAndVerify(file);
      return planFor(incoming, await selfUpdate.isRequired(incoming.placed));
    },
    status: () => {
      const { given: _, ...status } = state.committed();
      return { ...status, download: settings.artifacts.download() };
    },
    stop: async () => {
      await abortInProgress();
      const { attempt } = state.read();
      // Subtracts this start from `tries`, because the hub stops on request. Only starts that end
      // unexpectedly are counted.
      if (attempt !== undefined) state.writeLazily({ attempt: { ...attempt, tries: attempt.tries - 1 } });
    },
  };
}
