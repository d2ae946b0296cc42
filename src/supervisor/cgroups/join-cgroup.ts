import { systemCode } from '../../core/errors.ts';
import type { Cgroup } from './cgroup.ts';

/**
 * Maximum number of attempts to move all child processes. More than a few attempts are needed only for a
 * process that forks continuously.
 */
const MAX_ROUNDS = 5;

/** Error codes if a process has exited, or if a cgroup was removed. */
const EXITED: ReadonlySet<string> = new Set(['ESRCH', 'ENOENT', 'ENODEV']);

/**
 * Moves a process and its descendants into a cgroup. `descendants` returns the pids of the descendants that
 * exist at the time of the call. Resolves to false if a descendant is possibly outside the cgroup. Throws
 * system errors.
 */
export async function moveIntoCgroup(
  group: Cgroup,
  pid: number,
  descendants: () => readonly number[],
): Promise<boolean> {
  let outside = [pid];
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    for (const outsidePid of outside)
      for (const procsFile of group.procsFiles) await writePid(procsFile, outsidePid);
    outside = group.nonMembers(descendants());
    if (outside.length === 0) return true;
  }
  return false;
}

/**
 * Moves a process into a cgroup. The function is asynchronous, because the kernel can take milliseconds to
 * move a process. Does nothing if the process has exited.
 */
async function writePid(procsFile: string, pid: number): Promise<void> {
  try {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(procsFile, String(pid));
  } catch (error) {
    if (!EXITED.has(systemCode(error) ?? '')) throw error;
  }
}
