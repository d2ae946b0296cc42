import { constants } from 'node:os';
import type { LifecycleEvent } from '../lifecycle.ts';
import type { RestartPolicy } from '../spec.ts';

/** Exit status of a process: the exit code, or the signal that killed the process. */
export type ExitStatus =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string };

/** Events of the state machine after an exit, by restart policy. */
const EVENT_AFTER_EXIT: Readonly<
  Record<RestartPolicy, Readonly<Record<'success' | 'failure', LifecycleEvent>>>
> = {
  never: { success: 'exitOk', failure: 'exitFailed' },
  'on-failure': { success: 'exitOk', failure: 'exitRestart' },
  'on-unhealthy': { success: 'exitOk', failure: 'exitRestart' },
  always: { success: 'exitRestart', failure: 'exitRestart' },
};

/** Returns the event of the state machine for an exit status and a restart policy. */
export function eventAfterExit(exit: ExitStatus, policy: RestartPolicy): LifecycleEvent {
  return EVENT_AFTER_EXIT[policy][exit.kind === 'code' && exit.code === 0 ? 'success' : 'failure'];
}

/**
 * Returns the exit status for the exit code of a shell. A code above 128 means that signal number `code -
 * 128` killed the program.
 */
export function fromShellExitCode(code: number): ExitStatus {
  return code > 128 ? { kind: 'signal', signal: signalName(code - 128) } : { kind: 'code', code };
}

/** Returns the name of a signal, such as `SIGKILL`. */
export function signalName(number: number): string {
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return name ?? `signal ${number}`;
}

/** Returns the text of an exit status, such as `exit 3` or `SIGKILL`. */
export function describeExit(exit: ExitStatus): string {
  return exit.kind === 'code' ? `exit ${exit.code}` : exit.signal;
}
