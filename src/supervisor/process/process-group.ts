import { systemCode } from '../../core/errors.ts';

/* Signals to process groups. A module leads a process group, so a signal also reaches its child processes. */

/**
 * Result of sending a signal. `gone`: no such process group exists (ESRCH). `forbidden`: the processes run as
 * another user (EPERM).
 */
export type SignalResult = 'sent' | 'gone' | 'forbidden';

/** Sends a signal to the process group of `leader`. Signal 0 only tests whether the group exists. */
export function signalProcessGroup(leader: number, signal: NodeJS.Signals | 0): SignalResult {
  try {
    process.kill(-leader, signal);
    return 'sent';
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ESRCH') return 'gone';
    if (code === 'EPERM') return 'forbidden';
    throw error;
  }
}
