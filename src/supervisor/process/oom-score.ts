import { writeFileSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { MODULE_OOM_SCORE_ADJ } from '../limits.ts';

/**
 * Error codes that are ignored. They mean that the process has exited, or that the hub has no permission to
 * write the process's `oom_score_adj`.
 */
const EXPECTED: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/**
 * Sets the OOM score of a process, so that the kernel's OOM killer kills this process rather than the hub.
 * Child processes that this process starts later inherit the setting. If the kernel kills a module, only this
 * module restarts. If the kernel killed the hub, all modules would stop.
 */
export function preferAsOomVictim(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(MODULE_OOM_SCORE_ADJ));
  } catch (error) {
    if (!EXPECTED.has(systemCode(error) ?? '')) throw error;
  }
}
