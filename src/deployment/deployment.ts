import { createHash } from 'node:crypto';
import type { FailureCode } from '../core/errors.ts';

/** One manifest as it was handed in, and what names it. */
export type Deployment = {
  /** The SHA-256 of its text and of where it lies: what is the same is not taken again. */
  readonly id: string;
  /** The folder that its relative paths start from. */
  readonly home: string;
  /** The pack that it came in, by its path; it may be gone by now. */
  readonly pack: string | undefined;
  readonly name: string;
  readonly serial: number | undefined;
  /** Milliseconds of the time of day when it was taken. */
  readonly taken: number;
};

/** A change that is under way. */
export type Attempt = {
  readonly target: Deployment;
  /** `applying` and `watching` the target, `returning` to what was before it. */
  readonly phase: 'applying' | 'watching' | 'returning';
  /** The step that is being taken, from 1, of how many, in words. */
  readonly step: number;
  readonly of: number;
  readonly label: string;
  /** How often a hub has begun it: one that it takes down with it is given up. */
  readonly tries: number;
};

/** How the newest change came out. */
export type Outcome = {
  readonly id: string;
  /** `returned` to what was before it; `failed` where there was nothing. */
  readonly result: 'healthy' | 'returned' | 'failed';
  /** Why, unless it is healthy. */
  readonly failure: { readonly code: FailureCode; readonly sentence: string } | undefined;
};

/** All that is kept of deployments, but their texts. */
export type Ledger = {
  readonly current: Deployment | undefined;
  /** The newest that was well for as long as it should be. */
  readonly healthy: Deployment | undefined;
  readonly attempt: Attempt | undefined;
  readonly outcome: Outcome | undefined;
  /** The one that `skerry up` was given last: unless it is another, what was applied since goes on. */
  readonly given: string | undefined;
  /** The highest serial that was taken, and by which: none but that may have it again, and none a lower one. */
  readonly newest: { readonly serial: number; readonly id: string } | undefined;
};

export const EMPTY_LEDGER: Ledger = {
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

/** What a deployment is called in the log. */
export function titleOf({ id, name, serial }: Deployment): string {
  return `"${name}" ${serial === undefined ? id.slice(0, 8) : `serial ${serial}`}`;
}
