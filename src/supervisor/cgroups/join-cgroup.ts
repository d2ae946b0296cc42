import { systemCode } from '../../core/errors.ts';
import type { Cgroup } from './cgroup.ts';

/** Maximum rounds of moving children. Only a process that forks without end needs many. */
const MAX_ROUNDS = 5;

/** Error codes of a process or cgroup that is gone. */
const GONE: ReadonlySet<string> = new Set(['ESRCH', 'ENOENT', 'ENODEV']);

/**
 * Moves a process and its existing children into a cgroup. `descendants` returns them at the time
 * of the call. Resolves to false if a descendant may remain outside. Throws system errors.
 */
export async function moveIntoCgroup(
  group: Cgroup,
  pid: number,
  descendants: () => readonly number[],
): Promise<boolean> {
  let outside = [pid];
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    for (const one of outside) for (const procsFile of group.procsFiles) await writePid(procsFile, one);
    outside = group.nonMembers(descendants());
    if (outside.length === 0) return true;
  }
  return false;
}

/**
 * Asynchronous, because the kernel may take milliseconds to move a process. The process may be gone by then.
 */
async function writePid(procsFile: string, pid: number): Promise<void> {
  try {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(procsFile, String(pid));
  } catch (error) {
    if (!GONE.has(systemCode(error) ?? '')) throw error;
  }
}
