import { systemCode } from '../../core/errors.ts';

/**
 * Every module leads a process group, so a signal reaches its children too. A child that leaves the group by a
 * session of its own (`setsid`, a double-forking daemon) is out of reach here: see orphans.ts.
 */

/** `forbidden`: the members run as another user, and this process may not signal them. */
export type Signalled = 'sent' | 'gone' | 'forbidden';

/** Sends `signal` to the group that `leader` (its pid) led when it was started; 0 sends nothing, it only asks. */
export function signalGroup(leader: number, signal: NodeJS.Signals | 0): Signalled {
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
