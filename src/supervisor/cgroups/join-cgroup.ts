import { systemCode } from '../../core/errors.ts';
import type { ControlGroup } from './cgroup.ts';

/** Rounds of looking for what a process started before it was inside: only one that forks without end needs many. */
const ENTER_ROUNDS = 5;

/** Codes of a process or a group that is no more. */
const GONE: ReadonlySet<string> = new Set(['ESRCH', 'ENOENT', 'ENODEV']);

/**
 * Puts a process that did not enter its group by itself into it, and what it has started meanwhile: `followers` are all
 * that it started, now. Resolves with false if one of them may be outside, and throws what hindered it.
 */
export async function enter(
  group: ControlGroup,
  pid: number,
  followers: () => readonly number[],
): Promise<boolean> {
  let outside = [pid];
  for (let round = 0; round < ENTER_ROUNDS; round += 1) {
    for (const one of outside) for (const door of group.doors) await enterBy(door, one);
    outside = group.outside(followers());
    if (outside.length === 0) return true;
  }
  return false;
}

/** Not synchronously: the kernel may take milliseconds to move a process. It may be gone by then. */
async function enterBy(door: string, pid: number): Promise<void> {
  try {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(door, String(pid));
  } catch (error) {
    if (!GONE.has(systemCode(error) ?? '')) throw error;
  }
}
