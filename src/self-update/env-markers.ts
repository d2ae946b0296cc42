import { bootId, runningProcess } from '../core/proc.ts';
import type { SlotName, UpdatePaths } from './paths.ts';
import { SLOTS } from './paths.ts';
import type { WatchdogProcess } from './state.ts';

/** Slot of a hub that was started from one. A hub with this marker does not launch another binary. */
const SLOT_VARIABLE = 'SKERRY_SLOT';

/** Watchdog that started this hub on trial. */
export const WATCHDOG_VARIABLE = 'SKERRY_GUARD';

/**
 * Exit of the hub on trial and its running time in seconds; set by the watchdog when it becomes the base
 * binary again.
 */
export const TRIAL_ENDED_VARIABLE = 'SKERRY_TRIAL_ENDED';

/** Exit code as a shell reports it, or `late` if the watchdog killed the hub because its time was over. */
export type TrialEnd = { readonly how: number | 'late'; readonly seconds: number };

export type EnvMarkers = {
  readonly slot: SlotName | undefined;
  /** Pid of the watchdog. */
  readonly watchdog: number | undefined;
  readonly ended: TrialEnd | undefined;
};

/** Reads the markers that tell how this process was started. */
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

/** Environment without markers. */
export function withoutMarkers(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const {
    [SLOT_VARIABLE]: _slot,
    [WATCHDOG_VARIABLE]: _watchdog,
    [TRIAL_ENDED_VARIABLE]: _ended,
    ...rest
  } = env;
  return rest;
}

/** Environment for the hub in `slot`, and for its watchdog if it is on trial. */
export function withMarkers(
  env: NodeJS.ProcessEnv,
  paths: UpdatePaths,
  slot: SlotName,
  watchdog?: WatchdogProcess,
) {
  const more = watchdog === undefined ? {} : { [WATCHDOG_VARIABLE]: watchdogMarker(watchdog) };
  return { ...withoutMarkers(env), [SLOT_VARIABLE]: paths.binary(slot), ...more };
}

/** Watchdog that this process becomes by `execve`, which keeps the pid. */
export function watchdogOf(pid: number): WatchdogProcess {
  return { pid, started: runningProcess(pid)?.started ?? 0, boot: bootId() ?? '' };
}

export function isRunning({ pid, started, boot }: WatchdogProcess): boolean {
  return boot === (bootId() ?? '') && runningProcess(pid)?.started === started;
}

/** Marker in the environment of all processes that this watchdog started. */
export function watchdogMarker({ pid, started, boot }: WatchdogProcess): string {
  return `${pid} ${started} ${boot}`;
}
