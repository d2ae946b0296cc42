import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { sep } from 'node:path';
import { Failure, reasonOf } from '../core/errors.ts';
import { removeDurably, writeDurably } from '../core/files/durable.ts';
import type { FolderLock } from '../core/files/folder-lock.ts';
import { lockFolder } from '../core/files/folder-lock.ts';
import { LOCK_TIMEOUT_MS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import { looksUnchanged, matchBase, slotProblem, verifySlot } from './binary.ts';
import type { EnvMarkers } from './env-markers.ts';
import { isRunning, readEnvMarkers, watchdogOf, withMarkers } from './env-markers.ts';
import { HUB_TRIAL, MAX_ORPHAN_LOCK_CHECKS, ORPHAN_CHECK_MS } from './limits.ts';
import type { Sleep } from './orphans.ts';
import { killOrphans } from './orphans.ts';
import type { BinaryName, SlotName, UpdatePaths } from './paths.ts';
import { updatePaths } from './paths.ts';
import type { Trial, UpdateState, WatchdogProcess } from './state.ts';
import { readUpdateState, writeUpdateState } from './state.ts';
import { nextTrialState } from './trial-counter.ts';
import { watchdogCommand } from './watchdog.ts';

export type LaunchSettings = {
  readonly dataFolder: string;
  /** Path of the running binary, with its arguments and environment. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Pid of the parent process. */
  readonly parent: number;
  readonly log: Log;
  readonly sleep: Sleep;
  /** Repaths this process by `command`, which starts with an absolute path; exits if it cannot be run. */
  readonly execve: (command: readonly string[], env: NodeJS.ProcessEnv) => never;
};

/** Identity of the running hub. */
export type Launched = {
  readonly running: BinaryName;
  /** Pid of the watchdog, if it is the parent process. */
  readonly watchdog?: number | undefined;
};

/**
 * Selects the binary of the hub at its start, before anything is opened. Resolves if it is the running one,
 * else becomes the other by `execve`. If the hub was never updated, this only checks for one file.
 * @throws Failure `data.locked`: a hub on trial runs; `update.state`: this is a hub on trial without its
 * watchdog
 */
export async function launch(settings: LaunchSettings): Promise<Launched> {
  const paths = updatePaths(settings.dataFolder);
  const markers = readEnvMarkers(settings.env, paths);
  if (markers.watchdog !== undefined && markers.watchdog !== settings.parent) throw watchdogGone();
  if (markers.slot !== undefined) return { running: markers.slot, watchdog: markers.watchdog };
  const state = usableState(paths, settings.log);
  if (state === undefined || isWithin(settings.program, paths.folder)) return { running: 'base' };
  const next = isSettled(state, settings.program)
    ? state
    : await updateState(settings, paths, markers, state);
  return next === undefined ? { running: 'base' } : start(settings, paths, next);
}

/** Reads the state; undefined if there is none or it cannot be read, which is logged. */
function usableState(paths: UpdatePaths, log: Log): UpdateState | undefined {
  let damaged: string | undefined;
  try {
    const read = readUpdateState(paths);
    if (read.state !== undefined) return read.state;
    damaged = read.damaged;
  } catch (thrown) {
    damaged = reasonOf(thrown);
  }
  if (damaged !== undefined)
    log.warn(
      `${paths.state} cannot be used (${damaged}), so the installed hub runs: apply the update again.`,
    );
  return undefined;
}

/** True if a person started a binary in a slot directly, which then runs as it is. */
function isWithin(program: string, folder: string): boolean {
  return program.startsWith(realpathSync(folder) + sep);
}

function isSettled({ base, trial, guard }: UpdateState, program: string): boolean {
  return trial === undefined && guard === undefined && looksUnchanged(base, program);
}

/** Updates the state under the lock of the data folder; undefined if only the installed binary remains. */
async function updateState(
  settings: LaunchSettings,
  paths: UpdatePaths,
  markers: EnvMarkers,
  { guard, trial }: UpdateState,
): Promise<UpdateState | undefined> {
  const { dataFolder, program, log } = settings;
  if (guard !== undefined && guard.pid !== process.pid && isRunning(guard))
    throw inUse(dataFolder, guard.pid);
  const { grace } = trial?.limits ?? HUB_TRIAL;
  const lock =
    guard === undefined ? lockFolder(dataFolder, LOCK_TIMEOUT_MS) : await lockAfter(guard, grace, settings);
  try {
    const state = usableState(paths, log);
    const base = state && (await matchBase(state.base, program));
    if (state !== undefined && base === undefined) {
      log.warn(`${program} was installed after the update, so it runs, and the update is removed.`);
      removeUpdates(paths);
    }
    return state && base && (await advance(paths, markers, { ...state, base }, log));
  } finally {
    lock.release();
  }
}

/**
 * Locks the data folder after the orphans of a killed watchdog have ended. It retries, because an exiting
 * process loses its environment, by which it is found, before the lock, and a starting one takes the lock
 * late.
 */
async function lockAfter(
  watchdog: WatchdogProcess,
  grace: number,
  settings: LaunchSettings,
): Promise<FolderLock> {
  const { dataFolder, sleep } = settings;
  for (let refusals = 0; ; refusals++) {
    await killOrphans(updatePaths(dataFolder), watchdog, grace, sleep);
    try {
      return lockFolder(dataFolder);
    } catch (thrown) {
      const locked = thrown instanceof Failure && thrown.code === 'data.locked';
      if (!locked || refusals === MAX_ORPHAN_LOCK_CHECKS) throw thrown;
    }
    await sleep(ORPHAN_CHECK_MS);
  }
}

function watchdogGone(): Failure {
  return new Failure(
    'update.state',
    'The watchdog process of this trial start has exited, so the hub does not start.',
  );
}

function inUse(dataFolder: string, pid: number): Failure {
  const sentence = `The data folder ${dataFolder} is in use by a hub that updates itself (pid ${pid})`;
  return new Failure('data.locked', `${sentence}: stop it, or name another folder with --data DIR.`);
}

/** Deletes the state file first; without it the slots are just unused files. */
function removeUpdates(paths: UpdatePaths): void {
  removeDurably(paths.state);
  rmSync(paths.folder, { recursive: true, force: true });
}

async function advance(
  paths: UpdatePaths,
  markers: EnvMarkers,
  state: UpdateState,
  log: Log,
): Promise<UpdateState> {
  const { trial } = state;
  const next =
    trial === undefined ? { ...state, guard: undefined } : await decide(paths, markers, state, trial);
  try {
    // Written before the state, because the watchdog of a recorded trial checks this file.
    if (next.trial !== undefined) writeDurably(paths.unconfirmed, '');
    writeUpdateState(paths, next);
    if (next.trial === undefined) removeDurably(paths.unconfirmed);
  } catch (thrown) {
    log.error(
      `${paths.state} cannot be written (${reasonOf(thrown)}), so the new hub is not tried: check the disk.`,
    );
    return { ...next, trial: undefined };
  }
  if (trial !== undefined) logDecision(next, trial, log);
  return next;
}

async function decide(
  paths: UpdatePaths,
  markers: EnvMarkers,
  state: UpdateState,
  trial: Trial,
): Promise<UpdateState> {
  const content = state.slots[trial.slot];
  const findings = {
    ended: state.guard?.pid === process.pid ? markers.ended : undefined,
    stopped: consume(paths.stopped),
    damage: content && (await verifySlot(paths, trial.slot, content)),
  };
  return nextTrialState(state, trial, findings, watchdogOf(process.pid));
}

/**
 * Removes a file; returns true if it existed. Removed before the state is written, so that an error counts
 * one start too many.
 */
function consume(file: string): boolean {
  if (!existsSync(file)) return false;
  removeDurably(file);
  return true;
}

function logDecision({ slots, returned, trial }: UpdateState, { slot, limits }: Trial, log: Log): void {
  const version = slots[slot]?.version;
  if (trial !== undefined)
    log.info(`Trial start ${trial.tries} of ${limits.starts} of the new hub binary, version ${version}.`);
  else
    log.error(
      `The new hub binary, version ${version}, failed its trial: ${returned?.reason}. Rolled back to the previous hub.`,
    );
}

/** Becomes the recorded binary by `execve`, if it can run and is not this one. */
async function start(settings: LaunchSettings, paths: UpdatePaths, state: UpdateState): Promise<Launched> {
  const { args, env, execve, program } = settings;
  const { trial, guard, current } = state;
  if (trial !== undefined)
    return execve(watchdogCommand(paths, state, trial, args), withMarkers(env, paths, trial.slot, guard));
  if (current === 'base') return { running: 'base' };
  const problem = await problemWith(paths, state, current, settings.log);
  if (problem !== undefined) {
    settings.log.error(`${problem}, so the installed hub, ${program}, runs: apply the update again.`);
    return { running: 'base' };
  }
  return execve([paths.binary(current), ...args], withMarkers(env, paths, current));
}

/**
 * Reason why a slot cannot run. Its content is verified only if its last start did not finish, by a file that
 * is not flushed.
 */
async function problemWith(
  paths: UpdatePaths,
  { slots }: UpdateState,
  slot: SlotName,
  log: Log,
): Promise<string | undefined> {
  const content = slots[slot];
  if (content === undefined) return `Slot ${slot} is empty`;
  if (existsSync(paths.starting)) return verifySlot(paths, slot, content);
  const problem = slotProblem(paths, slot, content);
  if (problem === undefined) markStarting(paths.starting, log);
  return problem;
}

function markStarting(file: string, log: Log): void {
  try {
    writeFileSync(file, '', { mode: 0o600 });
  } catch (thrown) {
    log.warn(`${file} cannot be written (${reasonOf(thrown)}): check the disk.`);
  }
}
