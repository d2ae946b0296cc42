import { constants } from 'node:os';
import type { LifecycleEvent } from '../lifecycle.ts';
import type { RestartPolicy } from '../spec.ts';

/** Exit status of a process: an exit code or the signal that killed it. */
export type ExitStatus =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string };

const AFTER: Readonly<Record<RestartPolicy, Readonly<Record<'success' | 'failure', LifecycleEvent>>>> = {
  never: { success: 'exitOk', failure: 'exitFailed' },
  'on-failure': { success: 'exitOk', failure: 'exitRestart' },
  'on-unhealthy': { success: 'exitOk', failure: 'exitRestart' },
  always: { success: 'exitRestart', failure: 'exitRestart' },
};

/** Maps an exit status and the restart policy to an event of the state machine. */
export function eventAfterExit(exit: ExitStatus, policy: RestartPolicy): LifecycleEvent {
  return AFTER[policy][exit.kind === 'code' && exit.code === 0 ? 'success' : 'failure'];
}

/** Decodes the exit code of a shell: 128 plus the signal number if a signal killed its child. */
export function fromShellExitCode(code: number): ExitStatus {
  return code > 128 ? { kind: 'signal', signal: signalName(code - 128) } : { kind: 'code', code };
}

export function signalName(number: number): string {
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return name ?? `signal ${number}`;
}

/** Text of an exit status, such as `exit 3` or `SIGKILL`. */
export function describeExit(exit: ExitStatus): string {
  return exit.kind === 'code' ? `exit ${exit.code}` : exit.signal;
}
