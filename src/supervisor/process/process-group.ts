import { systemCode } from '../../core/errors.ts';

/**
 * Signals of process groups. Each module leads a process group, so that a signal also reaches its children.
 * Children that create their own session leave the group; `orphans.ts` finds them.
 */

/** Result of sending a signal. `forbidden`: the processes run as another user (EPERM). */
export type SignalResult = 'sent' | 'gone' | 'forbidden';

/** Sends a signal to the process group of `leader`. Signal 0 only tests if the group exists. */
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
