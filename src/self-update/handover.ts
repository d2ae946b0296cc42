import type { Cancel, Clock } from '../core/clock.ts';
import { withoutMarkers } from './env-markers.ts';
import type { Launched, LaunchSettings } from './launch.ts';
import { WATCHDOG_CHECK_MS } from './limits.ts';
import { baseProgram } from './trial.ts';
import { HANDOVER_EXIT_CODE } from './watchdog.ts';

export type HandoverSettings = Pick<LaunchSettings, 'dataFolder' | 'args' | 'env' | 'execve'> & {
  readonly launched: Launched;
  /** Exits this process with a code. */
  readonly exit: (code: number) => never;
};

/**
 * Starts the installed binary, which then starts the binary that the state file selects. Called after the hub
 * has stopped and released its lock. If a watchdog runs, this process exits and the watchdog executes the
 * installed binary, so that watchdogs do not nest. Otherwise this process executes the installed binary.
 * Throws Failure `update.state` if the installed binary is missing.
 */
export function handOver({ dataFolder, launched, args, env, execve, exit }: HandoverSettings): never {
  if (launched.watchdog !== undefined) return exit(HANDOVER_EXIT_CODE);
  return execve([baseProgram(dataFolder), ...args], withoutMarkers(env));
}

/**
 * Calls `onLost` once if the watchdog was killed (SIGKILL), because then no process forwards signals or
 * counts the starts. Compares the current parent pid, which `parent` returns, at intervals. A pipe to the
 * watchdog is not used, because it would need one more process.
 */
export function monitorWatchdog(
  { watchdog }: Launched,
  parent: () => number,
  clock: Clock,
  onLost: () => void,
): Cancel {
  if (watchdog === undefined) return () => {};
  let cancel: Cancel = () => {};
  const check = (): void => {
    if (parent() !== watchdog) onLost();
    else cancel = clock.after(WATCHDOG_CHECK_MS, check);
  };
  check();
  return () => cancel();
}
