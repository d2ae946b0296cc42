import { systemCode } from '../../core/errors.ts';
import { LEFTOVER_CHECK } from '../../core/limits.ts';
import { pidsWith } from '../../supervisor/proc.ts';
import { GUARD_VARIABLE, guardMark } from './marks.ts';
import type { Guard } from './state.ts';

/** Resolves after milliseconds. */
export type Pause = (milliseconds: number) => Promise<void>;

/**
 * Ends what a guard started that is gone itself: its hub is asked to, as it is when it sees that by itself, and killed
 * after `grace` seconds. The data folder is free then.
 */
export async function endLeftOf(guard: Guard, grace: number, pause: Pause): Promise<void> {
  const left = (): number[] =>
    pidsWith(GUARD_VARIABLE, value => value === guardMark(guard)).filter(pid => pid !== process.pid);
  const rounds = (grace * 1000) / LEFTOVER_CHECK;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of left()) send(pid, signal);
    for (let round = 0; round < rounds && left().length > 0; round++) await pause(LEFTOVER_CHECK);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (thrown) {
    if (systemCode(thrown) !== 'ESRCH') throw thrown;
  }
}
