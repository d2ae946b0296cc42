import { writeFileSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { MODULE_OOM_SCORE_ADJ } from '../limits.ts';

/** Error codes of a process that has exited, or whose `oom_score_adj` the hub may not write. */
const EXPECTED: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/**
 * Makes the kernel's OOM killer prefer a process over the hub. Processes that are started by this process
 * later inherit the setting. If the kernel kills a module, only that module restarts; if it kills the hub,
 * all modules stop.
 */
export function preferAsOomVictim(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(MODULE_OOM_SCORE_ADJ));
  } catch (error) {
    if (!EXPECTED.has(systemCode(error) ?? '')) throw error;
  }
}
