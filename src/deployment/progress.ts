import { Failure, reasonOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import type { Deployment, DeploymentAttempt, DeploymentRecord } from './deployment.ts';
import { titleOf } from './deployment.ts';
import type { DeploymentState } from './deployment-state.ts';
import type { ManifestCache } from './manifest-cache.ts';
import type { ExecuteOptions } from './plan-executor.ts';
import { stepLabel } from './plan-text.ts';

/**
 * Durable record of the progress of a deployment. After a restart, the hub continues the deployment from this
 * record.
 */
export type DeploymentProgress = {
  /** Returns a function that stores and logs each step before the step runs. */
  readonly recordSteps: (attempt: DeploymentAttempt, signal: AbortSignal) => ExecuteOptions['beforeStep'];
  /** Stores that a rollback has started. A failed write is logged and does not stop the rollback. */
  readonly recordRollback: (change: Partial<DeploymentRecord>, signal: AbortSignal) => Promise<void>;
  /** Stores the result of an attempt, then removes the manifests and artifacts that no deployment needs. */
  readonly finish: (change: Partial<DeploymentRecord>, signal: AbortSignal) => Promise<void>;
};

export type ProgressSettings = {
  readonly log: Log;
  readonly state: DeploymentState;
  readonly manifests: ManifestCache;
  /** Removes the artifacts that no deployment in `kept` needs. */
  readonly removeUnused: (kept: readonly Placed[]) => Promise<void>;
};

export function createProgress({
  log,
  state,
  manifests,
  removeUnused,
}: ProgressSettings): DeploymentProgress {
  const recordRollback: DeploymentProgress['recordRollback'] = async (change, signal) => {
    try {
      await state.write(change, signal);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      log.warn(`Cannot record the rollback: ${reasonOf(thrown)}`);
    }
  };

  const retain = async (kept: readonly Deployment[]): Promise<void> => {
    manifests.retain(kept);
    const loaded = kept.map(deployment => manifests.load(deployment));
    const lost = loaded.find(one => 'lost' in one);
    // If a manifest cannot be read, the artifacts that it needs are unknown. Therefore no artifacts are
    // removed.
    if (lost !== undefined) throw new Failure('deployment.lost', `${lost.lost}.`);
    await removeUnused(loaded.flatMap(one => ('placed' in one ? [one.placed] : [])));
  };

  return {
    recordSteps: (attempt, signal) => async (step, index, of) => {
      const label = stepLabel(step);
      const isRollback = attempt.phase === 'returning';
      const title = `${isRollback ? 'Rollback of ' : ''}${titleOf(attempt.target)}`;
      log.info(`${title}, step ${index} of ${of}: ${label}.`);
      const write = isRollback ? recordRollback : state.write;
      await write({ attempt: { ...attempt, step: index, of, label } }, signal);
    },
    recordRollback,
    finish: async (change, signal) => {
      await state.write({ attempt: undefined, ...change }, signal);
      const { current, healthy } = state.read();
      await retain(distinct([current, healthy])).catch((thrown: unknown) => {
        log.warn(`Cannot remove unused manifests and bundles: ${reasonOf(thrown)}`);
      });
    },
  };
}

/** Returns the deployments in the given order without duplicates and undefined entries. */
export function distinct(deployments: readonly (Deployment | undefined)[]): Deployment[] {
  const present = deployments.filter(one => one !== undefined);
  return present.filter(({ id }, index) => present.findIndex(other => other.id === id) === index);
}
