import { createHash } from 'node:crypto';
import type { FailureCode } from '../core/errors.ts';

/** Identity of an applied manifest. */
export type Deployment = {
  /**
   * SHA-256 of the manifest's text and of the path of its base folder. Two manifests with the same id are the
   * same deployment.
   */
  readonly id: string;
  /** Base folder of relative paths in the manifest. */
  readonly home: string;
  /**
   * Path of the pack (one file with a manifest and all files that it names) that contained the manifest. The
   * pack can be deleted meanwhile.
   */
  readonly pack: string | undefined;
  readonly name: string;
  readonly serial: number | undefined;
  /** Wall-clock time when the hub accepted the manifest, in milliseconds since 1970. */
  readonly taken: number;
};

/** Deployment in progress. */
export type DeploymentAttempt = {
  readonly target: Deployment;
  /** `applying`: executing the plan; `watching`: watching the health; `returning`: rolling back. */
  readonly phase: 'applying' | 'watching' | 'returning';
  /** Number of the current step, counted from 1. 0 before the first step. */
  readonly step: number;
  /** Total number of steps. */
  readonly of: number;
  readonly label: string;
  /**
   * Number of hub starts that have applied the target manifest. After MAX_TRIES such starts, the next start
   * rolls the deployment back.
   */
  readonly tries: number;
};

/** Result of the last deployment that has ended. */
export type DeploymentOutcome = {
  readonly id: string;
  /** `returned`: failed and rolled back; `failed`: failed, and there was no deployment to roll back to. */
  readonly result: 'healthy' | 'returned' | 'failed';
  /** Cause of the failure. Undefined if the result is `healthy`. */
  readonly failure: { readonly code: FailureCode; readonly sentence: string } | undefined;
};

/** Persistent state of deployments. Manifests are stored in separate files. */
export type DeploymentRecord = {
  readonly current: Deployment | undefined;
  /** Last deployment that was healthy for long enough. It is the target of a rollback. */
  readonly healthy: Deployment | undefined;
  readonly attempt: DeploymentAttempt | undefined;
  readonly outcome: DeploymentOutcome | undefined;
  /**
   * Id of the last manifest that was given on the command line of `skerry up`. The next `skerry up` with the
   * same manifest does not apply it again.
   */
  readonly given: string | undefined;
  /**
   * Highest serial number of all applied manifests, and the id of the manifest with this serial number. A
   * manifest with another id needs a higher serial number.
   */
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

/** Returns the title of a deployment for logs and errors. */
export function titleOf({ id, name, serial }: Deployment): string {
  return `"${name}" ${serial === undefined ? id.slice(0, 8) : `serial ${serial}`}`;
}
