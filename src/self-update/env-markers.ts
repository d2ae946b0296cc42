import { bootId, runningProcess } from '../core/proc.ts';
import type { SlotName, UpdatePaths } from './paths.ts';
import { SLOTS } from './paths.ts';
import type { WatchdogProcess } from './state.ts';

/**
 * Environment variable with the path of the hub binary. Set only if this binary is in a slot (folder for hub
 * binaries). A hub with this variable does not start another binary.
 */
const SLOT_VARIABLE = 'SKERRY_SLOT';

/**
 * Environment variable that identifies the watchdog of a hub on trial (a new binary that is not confirmed
 * yet).
 */
export const WATCHDOG_VARIABLE = 'SKERRY_GUARD';

/**
 * Environment variable with the exit code and the running time in seconds of the hub on trial. The watchdog
 * sets the variable when it starts the installed binary again.
 */
export const TRIAL_ENDED_VARIABLE = 'SKERRY_TRIAL_ENDED';

/**
 * Exit of a hub on trial. `how` is the exit code as a shell reports it, or `late` if the watchdog killed the
 * hub after the time limit.
 */
export type TrialEnd = { readonly how: number | 'late'; readonly seconds: number };

export type EnvMarkers = {
  readonly slot: SlotName | undefined;
  /** Pid of the watchdog. */
  readonly watchdog: number | undefined;
  readonly ended: TrialEnd | undefined;
};

/** Reads the environment variables that describe how this process was started. */
export function readEnvMarkers(env: NodeJS.ProcessEnv, paths: UpdatePaths): EnvMarkers {
  const slot = SLOTS.find(one => env[SLOT_VARIABLE] === paths.binary(one));
  const watchdog = /^(\d+) /.exec(env[WATCHDOG_VARIABLE] ?? '')?.[1];
  const [, how, seconds] = /^(\d{1,3}|late) (\d{1,9})$/.exec(env[TRIAL_ENDED_VARIABLE] ?? '') ?? [];
  return {
    slot,
    watchdog: watchdog === undefined ? undefined : Number(watchdog),
    ended:
      how === undefined ? undefined : { how: how === 'late' ? how : Number(how), seconds: Number(seconds) },
  };
}

/** Returns the environment without the variables that describe how this process was started. */
export function withoutMarkers(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const {
    [SLOT_VARIABLE]: _slot,
    [WATCHDOG_VARIABLE]: _watchdog,
    [TRIAL_ENDED_VARIABLE]: _ended,
    ...rest
  } = env;
  return rest;
}

/**
 * Returns the environment for the hub in `slot`. During a trial, the environment also contains the variable
 * that identifies the watchdog.
 */
export function withMarkers(
  env: NodeJS.ProcessEnv,
  paths: UpdatePaths,
  slot: SlotName,
  watchdog?: WatchdogProcess,
) {
  const more = watchdog === undefined ? {} : { [WATCHDOG_VARIABLE]: watchdogMarker(watchdog) };
  return { ...withoutMarkers(env), [SLOT_VARIABLE]: paths.binary(slot), ...more };
}

/**
 * Returns the identity of the watchdog. Called before the process `pid` becomes the watchdog by `execve`,
 * which does not change the pid.
 */
export function watchdogOf(pid: number): WatchdogProcess {
  return { pid, started: runningProcess(pid)?.started ?? 0, boot: bootId() ?? '' };
}

export function isRunning({ pid, started, boot }: WatchdogProcess): boolean {
  return boot === (bootId() ?? '') && runningProcess(pid)?.started === started;
}

/**
 * Returns the value of WATCHDOG_VARIABLE. All processes that the watchdog starts have this value in their
 * environment.
 */
export function watchdogMarker({ pid, started, boot }: WatchdogProcess): string {
  return `${pid} ${started} ${boot}`;
}
