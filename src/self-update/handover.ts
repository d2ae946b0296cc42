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
 * Hands over to the recorded binary through the base binary, which decides. Under a watchdog this process
 * exits and the watchdog becomes the base binary, so that watchdogs do not nest; otherwise this process
 * becomes it. Called after the hub has stopped and released its lock.
 * @throws Failure `update.state`: the base binary is missing
 */
export function handOver({ dataFolder, launched, args, env, execve, exit }: HandoverSettings): never {
  if (launched.watchdog !== undefined) return exit(HANDOVER_EXIT_CODE);
  return execve([baseProgram(dataFolder), ...args], withoutMarkers(env));
}

/**
 * Calls `gone` once if the watchdog was killed (SIGKILL), because then nothing forwards signals or counts
 * starts. `parent` returns the current parent pid. The hub polls it, because a pipe would cost the watchdog
 * one more process.
 */
export function monitorWatchdog(
  { watchdog }: Launched,
  parent: () => number,
  clock: Clock,
  gone: () => void,
): Cancel {
  if (watchdog === undefined) return () => {};
  let cancel: Cancel = () => {};
  const check = (): void => {
    if (parent() !== watchdog) gone();
    else cancel = clock.after(WATCHDOG_CHECK_MS, check);
  };
  check();
  return () => cancel();
}
