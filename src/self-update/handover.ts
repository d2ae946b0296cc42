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
 * Replaces this hub by the installed binary, which then executes the binary that the state file selects.
 * Called after the hub has stopped and released its lock. Under a watchdog, this process exits instead, and
 * the watchdog executes the installed binary. Otherwise a second watchdog could run below the first. Throws
 * Failure `update.state` if the installed binary is missing.
 */
export function handOver({ dataFolder, launched, args, env, execve, exit }: HandoverSettings): never {
  if (launched.watchdog !== undefined) return exit(HANDOVER_EXIT_CODE);
  return execve([baseProgram(dataFolder), ...args], withoutMarkers(env));
}

/**
 * Calls `onLost` once if the watchdog was killed. Without a watchdog, no process forwards signals or counts
 * the starts of the hub. Compares the parent pid, which `parent` returns, with the watchdog's pid at
 * intervals. A pipe to the watchdog would need one more process.
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
