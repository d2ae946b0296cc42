import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { Fault } from '../process/start-error.ts';

/** Types of file systems that keep files in memory alone (statfs(2)): tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** Others may not write there, or they could put links in the way. */
const WRITABLE_BY_OTHERS = 0o022;

/** Folders of the system that are usually in memory: the first two belong to the hub's user alone. */
function places(): string[] {
  const { XDG_RUNTIME_DIR = '' } = process.env;
  return [process.getuid?.() === 0 ? '/run' : XDG_RUNTIME_DIR, '/dev/shm'].filter(place => place !== '');
}

/**
 * Makes a folder in memory for the hub with this data folder, which other users may pass but not look into, and returns its
 * path. A fault says why there is none.
 */
export function memoryFolder(dataFolder: string): string | Fault {
  const refusals: string[] = [];
  for (const place of places()) {
    const folder = join(place, nameFor(dataFolder));
    try {
      if (!IN_MEMORY.has(statfsSync(place).type)) {
        refusals.push(`${place} is not in memory`);
        continue;
      }
      mkdirSync(folder, { recursive: true, mode: 0o711 });
      if (isOurs(folder)) {
        // Whatever the hub's umask is.
        chmodSync(folder, 0o711);
        return folder;
      }
      refusals.push(`${folder} belongs to another user`);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      refusals.push(`${place}: ${reasonOf(error)}`);
    }
  }
  const reason = `Its secrets must be in memory, and there is no place (${refusals.join('; ')}): mount a tmpfs at /dev/shm.`;
  return { reason, passing: true };
}

/** Removes what `memoryFolder` made for this data folder, in this run or an earlier one. */
export function removeMemoryFolders(dataFolder: string): void {
  for (const place of places()) {
    const folder = join(place, nameFor(dataFolder));
    if (isOurs(folder)) rmSync(folder, { recursive: true, force: true });
  }
}

/** The same for each run: what a run that crashed has left is found by it. */
function nameFor(dataFolder: string): string {
  return `skerry-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 12)}`;
}

function isOurs(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isDirectory()) return false;
  return stat.uid === process.geteuid?.() && (stat.mode & WRITABLE_BY_OTHERS) === 0;
}
