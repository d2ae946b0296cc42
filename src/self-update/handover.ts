import type { Cancel, Clock } from '../core/clock.ts';
import { unmarked } from './env-markers.ts';
import type { Launched, LaunchSettings } from './launch.ts';
import { WATCHDOG_CHECK_MS } from './limits.ts';
import { baseProgram } from './trial.ts';
import { SWITCH_EXIT } from './watchdog.ts';

export type SwitchSettings = Pick<LaunchSettings, 'dataFolder' | 'args' | 'env' | 'become'> & {
  readonly launched: Launched;
  /** Ends this process with an exit code. */
  readonly exit: (code: number) => never;
};

/**
 * Hands over to the binary that is noted, by way of the base binary, which decides: as this process, or as that of the
 * guard, if there is one, so that guards do not pile up. Called when the hub has stopped, and its lock is released.
 * @throws Failure `update.state`: the base binary is gone
 */
export function switchBinary({ dataFolder, launched, args, env, become, exit }: SwitchSettings): never {
  if (launched.guard !== undefined) return exit(SWITCH_EXIT);
  return become([baseProgram(dataFolder), ...args], unmarked(env));
}

/**
 * Calls `gone` once when the guard is gone, which only SIGKILL does to it: nobody would pass signals on, or count. `parent`
 * is the pid of the process that this one is a child of now. The hub looks, as a pipe that closes would cost the shell
 * one more process.
 */
export function watchGuard(
  { guard }: Launched,
  parent: () => number,
  clock: Clock,
  gone: () => void,
): Cancel {
  if (guard === undefined) return () => {};
  let cancel: Cancel = () => {};
  const look = (): void => {
    if (parent() !== guard) gone();
    else cancel = clock.after(WATCHDOG_CHECK_MS, look);
  };
  look();
  return () => cancel();
}
