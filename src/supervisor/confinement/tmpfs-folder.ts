import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { StartError } from '../process/start-error.ts';

/** In-memory file system types (statfs(2)): tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** Group and world write bits. Others could otherwise place links in the folder. */
const WRITABLE_BY_OTHERS = 0o022;

/** Candidate parents, usually tmpfs. The first belongs to the hub's user alone. */
function places(): string[] {
  const { XDG_RUNTIME_DIR = '' } = process.env;
  return [process.getuid?.() === 0 ? '/run' : XDG_RUNTIME_DIR, '/dev/shm'].filter(place => place !== '');
}

/**
 * Creates a folder on tmpfs for the hub with this data folder. Other users may pass but not list it. Returns
 * its path, or a start error with the reasons.
 */
export function makeTmpfsFolder(dataFolder: string): string | StartError {
  const refusals: string[] = [];
  for (const place of places()) {
    const folder = join(place, nameFor(dataFolder));
    try {
      if (!IN_MEMORY.has(statfsSync(place).type)) {
        refusals.push(`${place} is not a tmpfs`);
        continue;
      }
      mkdirSync(folder, { recursive: true, mode: 0o711 });
      if (isOurs(folder)) {
        // Independent of the umask.
        chmodSync(folder, 0o711);
        return folder;
      }
      refusals.push(`${folder} belongs to another user`);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      refusals.push(`${place}: ${reasonOf(error)}`);
    }
  }
  const reason = `No tmpfs for secrets (${refusals.join('; ')}): mount a tmpfs at /dev/shm.`;
  return { reason, transient: true };
}

/** Removes the tmpfs folders of this data folder, from this run or an earlier one. */
export function removeTmpfsFolders(dataFolder: string): void {
  for (const place of places()) {
    const folder = join(place, nameFor(dataFolder));
    if (isOurs(folder)) rmSync(folder, { recursive: true, force: true });
  }
}

/** Stable over restarts, so that remains of a crashed run are found. */
function nameFor(dataFolder: string): string {
  return `skerry-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 12)}`;
}

function isOurs(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isDirectory()) return false;
  return stat.uid === process.geteuid?.() && (stat.mode & WRITABLE_BY_OTHERS) === 0;
}
