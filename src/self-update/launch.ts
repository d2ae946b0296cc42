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
  /** Path of the running binary. */
  readonly program: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Pid of the parent process. */
  readonly parent: number;
  readonly log: Log;
  readonly sleep: Sleep;
  /**
   * Replaces this process by `command`, which begins with an absolute path. Exits if the command cannot run.
   */
  readonly execve: (command: readonly string[], env: NodeJS.ProcessEnv) => never;
};

/** Binary of the running hub, and its watchdog. */
export type Launched = {
  readonly running: BinaryName;
  /** Pid of the watchdog, which is the parent process of a hub on trial. Undefined if there is no trial. */
  readonly watchdog?: number | undefined;
};

/**
 * Selects the binary of the hub. Called before any other work of the hub. Resolves if this process already
 * runs the selected binary. Otherwise executes the selected binary by `execve`. Throws Failure `data.locked`
 * if a hub on trial already runs. Throws Failure `update.state` if this process is a hub on trial whose
 * watchdog has ended.
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

/**
 * Reads the state file. Returns undefined if there is no state file. If the state file is damaged, logs the
 * damage and returns undefined.
 */
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
      `${paths.state} cannot be used (${damaged}). Starting the installed hub instead: apply the update again.`,
    );
  return undefined;
}

/**
 * Returns true if the program is inside the folder of the slots. A user has then started the program
 * directly, and it runs without a trial.
 */
function isWithin(program: string, folder: string): boolean {
  return program.startsWith(realpathSync(folder) + sep);
}

function isSettled({ base, trial, guard }: UpdateState, program: string): boolean {
  return trial === undefined && guard === undefined && looksUnchanged(base, program);
}

/**
 * Updates the state file while the data folder is locked. Returns undefined if all updates were removed and
 * the installed binary runs.
 */
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
      log.warn(`${program} was installed after the update: this binary runs, and the update was removed.`);
      removeUpdates(paths);
    }
    return state && base && (await advance(paths, markers, { ...state, base }, log));
  } finally {
    lock.release();
  }
}

/**
 * Locks the data folder after the orphans (processes that a killed watchdog left behind) have ended. Orphans
 * are found by their environment. The search misses an orphan that is exiting, which has lost its environment
 * but still has the lock. The search also misses an orphan that is starting, which has no lock yet. Therefore
 * the search is repeated while the lock is refused.
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

/** Removes all updates. Removes the state file first, because the hub uses no slot without a state file. */
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
    // Creates the file `unconfirmed` before the state is written, because the watchdog of a trial checks this
    // file.
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
 * Removes a file. Returns true if the file existed. Called before the state is written. If this later write
 * fails, the next start counts one start too many, never one too few.
 */
function consume(file: string): boolean {
  if (!existsSync(file)) return false;
  removeDurably(file);
  return true;
}

function logDecision({ slots, returned, trial }: UpdateState, { slot, limits }: Trial, log: Log): void {
  const version = slots[slot]?.version;
  if (trial !== undefined)
    log.info(
      `Trial start ${trial.tries} of ${limits.starts} begins with the new hub binary, version ${version}.`,
    );
  else
    log.error(
      `The new hub binary, version ${version}, failed its trial: ${returned?.reason}. Rolled back to the previous hub.`,
    );
}

/**
 * Replaces this process by `execve`: during a trial by the watchdog, otherwise by the binary that the state
 * file selects. Resolves without `execve` if the installed binary is selected or the selected binary cannot
 * run.
 */
async function start(settings: LaunchSettings, paths: UpdatePaths, state: UpdateState): Promise<Launched> {
  const { args, env, execve, program } = settings;
  const { trial, guard, current } = state;
  if (trial !== undefined)
    return execve(watchdogCommand(paths, state, trial, args), withMarkers(env, paths, trial.slot, guard));
  if (current === 'base') return { running: 'base' };
  const problem = await problemWith(paths, state, current, settings.log);
  if (problem !== undefined) {
    settings.log.error(`${problem}. Starting the installed hub ${program} instead: apply the update again.`);
    return { running: 'base' };
  }
  return execve([paths.binary(current), ...args], withMarkers(env, paths, current));
}

/**
 * Returns the reason why the binary in a slot cannot run. Undefined if it can run. Verifies the content only
 * if the file `starting` exists, which shows that the last start did not finish.
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
