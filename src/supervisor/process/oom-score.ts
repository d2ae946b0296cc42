import { writeFileSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { MODULE_OOM_SCORE_ADJ } from '../limits.ts';

/** Error codes of a process that is gone, or whose `oom_score_adj` the hub may not write. */
const EXPECTED: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/**
 * Makes the kernel's OOM killer choose a program, and what it starts from now on, before the hub. A module
 * that is killed is started again; a hub that is killed stops all modules.
 */
export function preferAsOomVictim(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(MODULE_OOM_SCORE_ADJ));
  } catch (error) {
    if (!EXPECTED.has(systemCode(error) ?? '')) throw error;
  }
}
