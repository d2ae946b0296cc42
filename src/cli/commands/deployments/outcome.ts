import { Failure } from '../../../core/errors.ts';
import type { AcceptedDeployment, DeploymentStatus } from '../../../deployment/deployments.ts';
import { HUB_TRIAL } from '../../../self-update/limits.ts';
import { ask } from '../../control.ts';
import { systemPause } from '../../system.ts';

/** Milliseconds between two requests for the progress of the deployment. */
const POLL_MS = 100;

/** Maximum milliseconds that a command waits for an unreachable hub during the deployment. */
const MAX_UNREACHABLE_MS = 30_000;

/**
 * Maximum milliseconds that a command waits for an unreachable hub while the deployment replaces the hub
 * binary.
 */
const MAX_UNREACHABLE_IN_UPDATE_MS = MAX_UNREACHABLE_MS + 1000 * (HUB_TRIAL.seconds + HUB_TRIAL.grace);

export type Outcome = NonNullable<DeploymentStatus['outcome']>;

/**
 * Waits for the result of a deployment. Calls `onProgress` with the hub's status after each request. Throws
 * Failure `deployment.superseded` if another deployment replaced it, and `hub.unreachable` if the hub does
 * not answer for too long.
 */
export async function outcomeOf(
  folder: string,
  { id, renews }: AcceptedDeployment,
  onProgress: (status: DeploymentStatus) => void,
): Promise<Outcome> {
  let seen = performance.now();
  const isAway = (): boolean =>
    performance.now() - seen > (renews ? MAX_UNREACHABLE_IN_UPDATE_MS : MAX_UNREACHABLE_MS);
  while (!isAway()) {
    const status = await ask(folder, 'deployment').catch(ignoreUnreachable);
    if (status !== undefined) {
      seen = performance.now();
      const { attempt, outcome } = status;
      if (attempt === undefined && outcome?.id === id) return outcome;
      if (attempt?.target.id !== id) {
        throw new Failure('deployment.superseded', 'Another manifest replaced this one: see "skerry ps".');
      }
      onProgress(status);
    }
    await systemPause(POLL_MS);
  }
  throw new Failure(
    'hub.unreachable',
    'The hub closed the connection and is not reachable again: see its log.',
  );
}

/** Throws the failure of a deployment that is not healthy, with what the hub did afterwards. */
export function throwIfFailed({ failure, result }: Outcome): void {
  if (failure === undefined) return;
  const reaction =
    result === 'returned'
      ? 'Rolled back to the last healthy deployment.'
      : 'There was no earlier deployment to roll back to.';
  throw new Failure(failure.code, `${failure.sentence} ${reaction}`);
}

/**
 * Ignores Failure `hub.unreachable`, because the hub can be restarting for a self-update. Throws all other
 * errors.
 */
function ignoreUnreachable(thrown: unknown): undefined {
  if (thrown instanceof Failure && thrown.code === 'hub.unreachable') return undefined;
  throw thrown;
}
