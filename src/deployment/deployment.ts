import { createHash } from 'node:crypto';
import type { FailureCode } from '../core/errors.ts';

/** Identity of one applied manifest. */
export type Deployment = {
  /** SHA-256 of its text and folder, so that an unchanged manifest is recognized. */
  readonly id: string;
  /** Base folder of its relative paths. */
  readonly home: string;
  /** Path of the pack that it came in; the file may be gone by now. */
  readonly pack: string | undefined;
  readonly name: string;
  readonly serial: number | undefined;
  /** Wall-clock time in milliseconds when the hub accepted it. */
  readonly taken: number;
};

/** Deployment in progress. */
export type DeploymentAttempt = {
  readonly target: Deployment;
  /** `applying` or `watching` the target, or `returning`: rolling back to the deployment before it. */
  readonly phase: 'applying' | 'watching' | 'returning';
  /** Current step, from 1; 0 before the first. */
  readonly step: number;
  /** Number of steps. */
  readonly of: number;
  readonly label: string;
  /** Number of hub starts that applied it; after too many the hub rolls back. */
  readonly tries: number;
};

/** Result of the newest deployment. */
export type DeploymentOutcome = {
  readonly id: string;
  /** `returned`: rolled back to the deployment before it; `failed`: there was none to roll back to. */
  readonly result: 'healthy' | 'returned' | 'failed';
  /** Undefined if the result is `healthy`. */
  readonly failure: { readonly code: FailureCode; readonly sentence: string } | undefined;
};

/** Persistent state of deployments, without their manifests. */
export type DeploymentRecord = {
  readonly current: Deployment | undefined;
  /** Newest deployment that was healthy for long enough: the target of a rollback. */
  readonly healthy: Deployment | undefined;
  readonly attempt: DeploymentAttempt | undefined;
  readonly outcome: DeploymentOutcome | undefined;
  /** Id of the manifest last given to `skerry up`. If it is given again, a later deployment keeps running. */
  readonly given: string | undefined;
  /** Highest serial applied so far and the id that used it; any other manifest needs a higher one. */
  readonly newest: { readonly serial: number; readonly id: string } | undefined;
};

export const EMPTY_RECORD: DeploymentRecord = {
  current: undefined,
  healthy: undefined,
  attempt: undefined,
  outcome: undefined,
  given: undefined,
  newest: undefined,
};

export function deploymentId(text: string, home: string): string {
  return createHash('sha256').update(text).update('\0').update(home).digest('hex');
}

/** Title of a deployment in logs and errors. */
export function titleOf({ id, name, serial }: Deployment): string {
  return `"${name}" ${serial === undefined ? id.slice(0, 8) : `serial ${serial}`}`;
}
