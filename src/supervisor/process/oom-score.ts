import { writeFileSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { MODULE_OOM_SCORE_ADJ } from '../limits.ts';

/** Error codes if a process has exited, or if the hub has no permission to write its `oom_score_adj`. */
const EXPECTED: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/**
 * Makes the kernel's OOM killer kill this process rather than the hub. Child processes that this process
 * starts later inherit the setting. If the kernel kills a module, only that module restarts. If it kills the
 * hub, all modules stop.
 */
export function preferAsOomVictim(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(MODULE_OOM_SCORE_ADJ));
  } catch (error) {
    if (!EXPECTED.has(systemCode(error) ?? '')) throw error;
  }
}
