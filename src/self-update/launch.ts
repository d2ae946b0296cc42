import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { sep } from 'node:path';
import { Failure, reasonOf } from '../core/errors.ts';
import type { FolderLock } from '../core/files/folder-lock.ts';
import { lockFolder } from '../core/files/folder-lock.ts';
import { LOCK_TIMEOUT_MS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { looksSame, sameBase, slotDamage, slotTrouble } from './binary.ts';
import { removeDurably, writeDurably } from './durable.ts';
import type { Marks } from './env-markers.ts';
import { asGuard, isRunning, marked, marksOf } from './env-markers.ts';
import { HUB_TRIAL, MAX_ORPHAN_LOCK_CHECKS, ORPHAN_CHECK_MS } from './limits.ts';
import type { Pause } from './orphans.ts';
import { endLeftOf } from './orphans.ts';
import type { BinaryName, Places, SlotName } from './paths.ts';
import { placesIn } from './paths.ts';
import type { Guard, State, Trial } from './state.ts';
import { readState, writeState } from './state.ts';
import { nextTry } from './trial-counter.ts';
import { guardCommand } from './watchdog.ts';

export type LaunchSettings = {
  readonly dataFolder: string;
  /** This process: its program, the arguments that it was given, and its environment. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The pid of the process that this one is a child of. */
  readonly parent: number;
  readonly log: Log;
  readonly pause: Pause;
  /** Replaces this process; `command` begins with the absolute path of the program. A program that cannot be run ends it. */
  readonly become: (command: readonly string[], env: NodeJS.ProcessEnv) => never;
};

/** What this process is, if it is the hub that is to run. */
export type Launched = {
  readonly running: BinaryName;
  /** The pid of the guard that it is a child of. */
  readonly guard?: number | undefined;
};

/**
 * Decides at the start of a hub which of its binaries is to run, before anything is opened. Resolves if it is the one of
 * this process, else becomes the other. Where the hub was never updated it costs a look for one file.
 * @throws Failure `data.locked`: a hub on trial runs; `update.state`: this is one, and nobody watches over it
 */
export async function launch(settings: LaunchSettings): Promise<Launched> {
  const places = placesIn(settings.dataFolder);
  const marks = marksOf(settings.env, places);
  if (marks.guard !== undefined && marks.guard !== settings.parent) throw unguarded();
  if (marks.slot !== undefined) return { running: marks.slot, guard: marks.guard };
  const state = usableState(places, settings.log);
  if (state === undefined || isWithin(settings.program, places.folder)) return { running: 'base' };
  const next = isSettled(state, settings.program) ? state : await settle(settings, places, marks, state);
  return next === undefined ? { running: 'base' } : start(settings, places, next);
}

/** What is noted; undefined if nothing is, or nothing that can be read, which is said. */
function usableState(places: Places, log: Log): State | undefined {
  let damaged: string | undefined;
  try {
    const read = readState(places);
    if (read.state !== undefined) return read.state;
    damaged = read.damaged;
  } catch (thrown) {
    damaged = reasonOf(thrown);
  }
  if (damaged !== undefined)
    log.warn(
      `${places.state} cannot be used (${damaged}), so the hub that was installed runs: apply the update again.`,
    );
  return undefined;
}

/** Somebody who starts a binary in a slot by hand means that one. */
function isWithin(program: string, folder: string): boolean {
  return program.startsWith(realpathSync(folder) + sep);
}

function isSettled({ base, trial, guard }: State, program: string): boolean {
  return trial === undefined && guard === undefined && looksSame(base, program);
}

/** Brings what is noted up to date, alone in the data folder; undefined: this binary runs, and no other is known. */
async function settle(
  settings: LaunchSettings,
  places: Places,
  marks: Marks,
  { guard, trial }: State,
): Promise<State | undefined> {
  const { dataFolder, program, log } = settings;
  if (guard !== undefined && guard.pid !== process.pid && isRunning(guard))
    throw inUse(dataFolder, guard.pid);
  const { grace } = trial?.limits ?? HUB_TRIAL;
  const lock =
    guard === undefined ? lockFolder(dataFolder, LOCK_TIMEOUT_MS) : await lockAfter(guard, grace, settings);
  try {
    const state = usableState(places, log);
    const base = state && (await sameBase(state.base, program));
    if (state !== undefined && base === undefined) {
      log.warn(`${program} is not the hub that was updated, so it runs, and updates are forgotten.`);
      forget(places);
    }
    return state && base && (await bringUpToDate(places, marks, { ...state, base }, log));
  } finally {
    lock.release();
  }
}

/**
 * Takes the data folder when what a guard left has been ended. A process that is ending loses its environment, by which it
 * is found, before the lock; one that is starting takes the lock later.
 */
async function lockAfter(guard: Guard, grace: number, settings: LaunchSettings): Promise<FolderLock> {
  const { dataFolder, pause } = settings;
  for (let refusals = 0; ; refusals++) {
    await endLeftOf(placesIn(dataFolder), guard, grace, pause);
    try {
      return lockFolder(dataFolder);
    } catch (thrown) {
      const locked = thrown instanceof Failure && thrown.code === 'data.locked';
      if (!locked || refusals === MAX_ORPHAN_LOCK_CHECKS) throw thrown;
    }
    await pause(ORPHAN_CHECK_MS);
  }
}

function unguarded(): Failure {
  return new Failure('update.state', 'What watches over this new hub is gone, so it does not start.');
}

function inUse(dataFolder: string, pid: number): Failure {
  const sentence = `The data folder ${dataFolder} is in use by a hub that was just updated (pid ${pid})`;
  return new Failure('data.locked', `${sentence}: stop it, or name another folder with --data DIR.`);
}

/** The note first: without it the rest is nothing but space. */
function forget(places: Places): void {
  removeDurably(places.state);
  rmSync(places.folder, { recursive: true, force: true });
}

async function bringUpToDate(places: Places, marks: Marks, state: State, log: Log): Promise<State> {
  const { trial } = state;
  const next =
    trial === undefined ? { ...state, guard: undefined } : await decide(places, marks, state, trial);
  try {
    // The guard looks for this file, so it is there before the note says that there is a trial.
    if (next.trial !== undefined) writeDurably(places.unconfirmed, '');
    writeState(places, next);
    if (next.trial === undefined) removeDurably(places.unconfirmed);
  } catch (thrown) {
    log.error(
      `${places.state} cannot be written (${reasonOf(thrown)}), so no new hub is tried: see to the disk.`,
    );
    return { ...next, trial: undefined };
  }
  if (trial !== undefined) tell(next, trial, log);
  return next;
}

async function decide(places: Places, marks: Marks, state: State, trial: Trial): Promise<State> {
  const content = state.slots[trial.slot];
  const findings = {
    ended: state.guard?.pid === process.pid ? marks.ended : undefined,
    stopped: takeAway(places.stopped),
    damage: content && (await slotDamage(places, trial.slot, content)),
  };
  return nextTry(state, trial, findings, asGuard(process.pid));
}

/** Whether there was a file. It is gone before what it says is noted: to count a start too many is the safe error. */
function takeAway(file: string): boolean {
  if (!existsSync(file)) return false;
  removeDurably(file);
  return true;
}

function tell({ slots, returned, trial }: State, { slot, limits }: Trial, log: Log): void {
  const version = slots[slot]?.version;
  if (trial !== undefined) log.info(`Start ${trial.tries} of ${limits.starts} of the new hub, ${version}.`);
  else log.error(`The new hub, ${version}, is given up: ${returned?.reason}. The one of before runs.`);
}

/** Becomes the binary that is noted, if it can be run and is not this one. */
async function start(settings: LaunchSettings, places: Places, state: State): Promise<Launched> {
  const { args, env, become, program } = settings;
  const { trial, guard, current } = state;
  if (trial !== undefined)
    return become(guardCommand(places, state, trial, args), marked(env, places, trial.slot, guard));
  if (current === 'base') return { running: 'base' };
  const trouble = await troubleWith(places, state, current, settings.log);
  if (trouble !== undefined) {
    settings.log.error(
      `${trouble}, so the hub that was installed, ${program}, runs: apply the update again.`,
    );
    return { running: 'base' };
  }
  return become([places.binary(current), ...args], marked(env, places, current));
}

/** A slot is read whole only if its last start did not come to its end, as is noted in a file that is not flushed. */
async function troubleWith(
  places: Places,
  { slots }: State,
  slot: SlotName,
  log: Log,
): Promise<string | undefined> {
  const content = slots[slot];
  if (content === undefined) return `Slot ${slot} is empty`;
  if (existsSync(places.starting)) return slotDamage(places, slot, content);
  const trouble = slotTrouble(places, slot, content);
  if (trouble === undefined) noteStart(places.starting, log);
  return trouble;
}

function noteStart(file: string, log: Log): void {
  try {
    writeFileSync(file, '', { mode: 0o600 });
  } catch (thrown) {
    log.warn(`${file} cannot be written (${reasonOf(thrown)}): see to the disk.`);
  }
}
