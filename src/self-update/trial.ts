import { accessSync, constants, rmSync } from 'node:fs';
import { Failure, reasonOf } from '../core/errors.ts';
import { identify, sameBase } from './binary.ts';
import { removeDurably } from './durable.ts';
import type { Launched } from './launch.ts';
import { HUB_TRIAL } from './limits.ts';
import type { BinaryName, Places } from './paths.ts';
import { placesIn } from './paths.ts';
import type { Staged } from './stage.ts';
import type { Identity, Return, State, TrialLimits } from './state.ts';
import { readState, writeState } from './state.ts';
import { returned } from './trial-counter.ts';

/** What a hub finds at its start. `try`: the first is 1. */
export type TrialState =
  | { readonly kind: 'none' }
  | { readonly kind: 'on-trial'; readonly sha256: string; readonly try: number; readonly of: number }
  | ({ readonly kind: 'returned' } & Return);

/** The binary that runs; `sha256` is not known of one that was never updated. */
export type RunningBinary = { readonly binary: BinaryName; readonly sha256: string | undefined };

export function trialState(dataFolder: string, { running }: Launched): TrialState {
  const { state } = readState(placesIn(dataFolder));
  const { trial, returned } = state ?? {};
  if (state !== undefined && trial !== undefined && trial.slot === running) {
    const sha256 = state.slots[trial.slot]?.sha256 ?? '';
    return { kind: 'on-trial', sha256, try: trial.tries, of: trial.limits.starts };
  }
  return returned === undefined ? { kind: 'none' } : { kind: 'returned', ...returned };
}

export function runningBinary(dataFolder: string, { running }: Launched): RunningBinary {
  const { state } = readState(placesIn(dataFolder));
  const content = running === 'base' ? state?.base : state?.slots[running];
  return { binary: running, sha256: content?.sha256 };
}

export type Beginning = {
  readonly dataFolder: string;
  readonly launched: Launched;
  /** The binary of this process; undefined: it runs from sources. */
  readonly program: string | undefined;
  readonly staged: Staged;
  readonly limits?: TrialLimits;
  /** Aborted, nothing is noted any more. */
  readonly signal?: AbortSignal;
};

/**
 * Notes that the next start is one of `staged`, on trial. The hub stops and switches then (`switchBinary`), or takes the
 * note back by what this resolves to.
 * @throws Failure `update.state`: there is no binary to return to; `update.unwritable`; or the signal's reason
 */
export async function beginTrial(beginning: Beginning): Promise<() => void> {
  const { dataFolder, launched, staged, limits = HUB_TRIAL, signal } = beginning;
  const { running } = launched;
  const places = placesIn(dataFolder);
  const { state } = readState(places);
  const base = await baseOf(beginning, state);
  signal?.throwIfAborted();
  const { slot, sha256, size, version } = staged;
  const current = state !== undefined && state.trial?.slot === running ? state.current : running;
  const slots = { ...state?.slots, [slot]: { sha256, size, version } };
  const trial = { slot, limits, tries: 0, seconds: 0, lastEnd: '' };
  const before = { base, current, slots, guard: state?.guard };
  note(places, { ...before, trial });
  const replaced = state?.trial;
  return () => note(places, { ...before, ...(replaced && { trial: replaced }) });
}

/** The base binary, which every start begins with, and which must be the one that it was. */
async function baseOf({ launched, program }: Beginning, state: State | undefined): Promise<Identity> {
  if (program === undefined)
    throw new Failure(
      'update.state',
      'This hub runs from its sources and cannot be updated: use the binary.',
    );
  try {
    if (state === undefined && launched.running === 'base') return await identify(program);
    const base = state && (await sameBase(state.base, state.base.path));
    if (base !== undefined) return base;
  } catch (thrown) {
    throw replaced(state?.base.path ?? program, reasonOf(thrown));
  }
  throw replaced(state?.base.path ?? 'that was installed', 'it is another one');
}

function replaced(path: string, reason: string): Failure {
  const sentence = `The hub ${path}, which every start begins with, was replaced or removed (${reason})`;
  return new Failure('update.state', `${sentence}: restart the hub before it is updated.`);
}

/** The hub on trial is good: from now on it is the one that runs. Does nothing where none is on trial. */
export function confirm(dataFolder: string, { running }: Launched): void {
  const places = placesIn(dataFolder);
  const { state } = readState(places);
  if (state?.trial === undefined || state.trial.slot !== running) return;
  note(places, { ...state, current: state.trial.slot, trial: undefined, returned: undefined });
  removeDurably(places.unconfirmed);
}

/** The hub on trial says of itself why it is not good. It stops and switches then. */
export function giveUp(dataFolder: string, { running }: Launched, reason: string): void {
  const places = placesIn(dataFolder);
  const { state } = readState(places);
  if (state?.trial === undefined || state.trial.slot !== running) return;
  note(places, returned(state, state.trial, reason));
  removeDurably(places.unconfirmed);
}

/** Why the hub returned has been told. */
export function forgetReturn(dataFolder: string): void {
  const places = placesIn(dataFolder);
  const { state } = readState(places);
  if (state?.returned !== undefined) note(places, { ...state, returned: undefined });
}

/** The hub is up: its next start need not read its binary whole. */
export function cameUp(dataFolder: string, { running }: Launched): void {
  if (running !== 'base') rmSync(placesIn(dataFolder).starting, { force: true });
}

function note(places: Places, state: State): void {
  try {
    writeState(places, state);
  } catch (thrown) {
    const sentence = `${places.state} cannot be written (${reasonOf(thrown)})`;
    throw new Failure('update.unwritable', `${sentence}: make room, or correct the folder's rights.`);
  }
}

/**
 * The program that a hub becomes which has stopped everything, so that what is noted runs.
 * @throws Failure `update.state`: it is not there
 */
export function baseProgram(dataFolder: string): string {
  const { state } = readState(placesIn(dataFolder));
  const path = state?.base.path ?? 'that was installed';
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch (thrown) {
    throw replaced(path, reasonOf(thrown));
  }
}
