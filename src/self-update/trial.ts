import { accessSync, constants, rmSync } from 'node:fs';
import { Failure, reasonOf } from '../core/errors.ts';
import { removeDurably } from '../core/files/durable.ts';
import { identifyBinary, matchBase } from './binary.ts';
import type { Launched } from './launch.ts';
import { HUB_TRIAL } from './limits.ts';
import type { BinaryName, UpdatePaths } from './paths.ts';
import { updatePaths } from './paths.ts';
import type { StagedHub } from './stage.ts';
import type { BinaryIdentity, FailedUpdate, TrialLimits, UpdateState } from './state.ts';
import { readUpdateState, writeUpdateState } from './state.ts';
import { endTrial } from './trial-counter.ts';

/**
 * State of the trial of the running hub. `try` is the number of this trial start, counted from 1. `of` is the
 * maximum number of trial starts.
 */
export type TrialState =
  | { readonly kind: 'none' }
  | { readonly kind: 'on-trial'; readonly sha256: string; readonly try: number; readonly of: number }
  | ({ readonly kind: 'returned' } & FailedUpdate);

/** Running binary. `sha256` is undefined if the hub was never updated. */
export type RunningBinary = { readonly binary: BinaryName; readonly sha256: string | undefined };

export function trialState(dataFolder: string, { running }: Launched): TrialState {
  const { state } = readUpdateState(updatePaths(dataFolder));
  const { trial, returned } = state ?? {};
  if (state !== undefined && trial !== undefined && trial.slot === running) {
    const sha256 = state.slots[trial.slot]?.sha256 ?? '';
    return { kind: 'on-trial', sha256, try: trial.tries, of: trial.limits.starts };
  }
  return returned === undefined ? { kind: 'none' } : { kind: 'returned', ...returned };
}

export function runningBinary(dataFolder: string, { running }: Launched): RunningBinary {
  const { state } = readUpdateState(updatePaths(dataFolder));
  const content = running === 'base' ? state?.base : state?.slots[running];
  return { binary: running, sha256: content?.sha256 };
}

export type BeginTrialSettings = {
  readonly dataFolder: string;
  readonly launched: Launched;
  /** Path of the running binary. Undefined if the hub runs from its sources. */
  readonly program: string | undefined;
  readonly staged: StagedHub;
  readonly limits?: TrialLimits;
  /** Signal that aborts the call before the trial is stored. */
  readonly signal?: AbortSignal;
};

/**
 * Schedules a trial of `staged` for the next start of the hub. The caller then stops the hub and calls
 * `handOver`. The returned function cancels the trial. Throws Failure `update.state` if there is no binary to
 * roll back to. Throws Failure `update.unwritable` if the state cannot be written. Throws the signal's reason
 * after an abort.
 */
export async function beginTrial(beginning: BeginTrialSettings): Promise<() => void> {
  const { dataFolder, launched, staged, limits = HUB_TRIAL, signal } = beginning;
  const { running } = launched;
  const paths = updatePaths(dataFolder);
  const { state } = readUpdateState(paths);
  const base = await baseOf(beginning, state);
  signal?.throwIfAborted();
  const { slot, sha256, size, version } = staged;
  const current = state !== undefined && state.trial?.slot === running ? state.current : running;
  const slots = { ...state?.slots, [slot]: { sha256, size, version } };
  const trial = { slot, limits, tries: 0, seconds: 0, lastEnd: '' };
  const before = { base, current, slots, guard: state?.guard };
  saveState(paths, { ...before, trial });
  const replaced = state?.trial;
  return () => saveState(paths, { ...before, ...(replaced && { trial: replaced }) });
}

/**
 * Returns the identity of the installed binary. Every start of the hub begins with the installed binary, so
 * it must be unchanged. Throws Failure `update.state` if it was replaced.
 */
async function baseOf(
  { launched, program }: BeginTrialSettings,
  state: UpdateState | undefined,
): Promise<BinaryIdentity> {
  if (program === undefined)
    throw new Failure(
      'update.state',
      'This hub runs from its sources, so it cannot be updated: use the binary.',
    );
  try {
    if (state === undefined && launched.running === 'base') return await identifyBinary(program);
    const base = state && (await matchBase(state.base, state.base.path));
    if (base !== undefined) return base;
  } catch (thrown) {
    throw replacedFailure(state?.base.path ?? program, reasonOf(thrown));
  }
  throw replacedFailure(state?.base.path ?? '(installed)', 'its content differs');
}

function replacedFailure(path: string, reason: string): Failure {
  const sentence = `The installed hub ${path} was replaced or removed (${reason})`;
  return new Failure('update.state', `${sentence}: restart the hub before it is updated.`);
}

/** Ends the trial as passed. Later starts then use the running binary. Does nothing if there is no trial. */
export function confirmTrial(dataFolder: string, { running }: Launched): void {
  const paths = updatePaths(dataFolder);
  const { state } = readUpdateState(paths);
  if (state?.trial === undefined || state.trial.slot !== running) return;
  saveState(paths, { ...state, current: state.trial.slot, trial: undefined, returned: undefined });
  removeDurably(paths.unconfirmed);
}

/** Ends the trial as failed. Called by the hub on trial. This hub then stops and calls `handOver`. */
export function failTrial(dataFolder: string, { running }: Launched, reason: string): void {
  const paths = updatePaths(dataFolder);
  const { state } = readUpdateState(paths);
  if (state?.trial === undefined || state.trial.slot !== running) return;
  saveState(paths, endTrial(state, state.trial, reason));
  removeDurably(paths.unconfirmed);
}

/** Removes the record of a failed update. Called after the failure was reported. */
export function clearFailedUpdate(dataFolder: string): void {
  const paths = updatePaths(dataFolder);
  const { state } = readUpdateState(paths);
  if (state?.returned !== undefined) saveState(paths, { ...state, returned: undefined });
}

/** Records that the hub has started. The next start then does not verify the content of the binary. */
export function markStarted(dataFolder: string, { running }: Launched): void {
  if (running !== 'base') rmSync(updatePaths(dataFolder).starting, { force: true });
}

function saveState(paths: UpdatePaths, state: UpdateState): void {
  try {
    writeUpdateState(paths, state);
  } catch (thrown) {
    const sentence = `${paths.state} cannot be written (${reasonOf(thrown)})`;
    throw new Failure(
      'update.unwritable',
      `${sentence}: free disk space, or correct the folder's permissions.`,
    );
  }
}

/**
 * Returns the path of the installed binary. Throws Failure `update.state` if the installed binary is missing.
 */
export function baseProgram(dataFolder: string): string {
  const { state } = readUpdateState(updatePaths(dataFolder));
  const path = state?.base.path ?? '(installed)';
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch (thrown) {
    throw replacedFailure(path, reasonOf(thrown));
  }
}
