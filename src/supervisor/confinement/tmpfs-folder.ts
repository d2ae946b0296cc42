import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { StartError } from '../process/start-error.ts';

/** File system types in memory (statfs(2)): tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/**
 * Write permission for the group and for others. With this permission, another user could create links in the
 * folder.
 */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Returns the candidates for the parent folder of the hub's tmpfs folder: the runtime folder of the hub's
 * user, and /dev/shm. On most systems, both are on a tmpfs.
 */
function places(): string[] {
  const { XDG_RUNTIME_DIR = '' } = process.env;
  return [process.getuid?.() === 0 ? '/run' : XDG_RUNTIME_DIR, '/dev/shm'].filter(place => place !== '');
}

/**
 * Creates the hub's folder on a tmpfs. The name of the folder is derived from `dataFolder`. Other users can
 * traverse the folder, but not list it. Returns the path, or a start error with the reason why each candidate
 * cannot be used.
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
        // Sets the mode again, because the umask may have removed permission bits when the folder was
        // created.
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

/** Removes the tmpfs folders for this data folder, including folders of an earlier run of the hub. */
export function removeTmpfsFolders(dataFolder: string): void {
  for (const place of places()) {
    const folder = join(place, nameFor(dataFolder));
    if (isOurs(folder)) rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Returns the name of the tmpfs folder for a data folder. The name is derived from the data folder, so that
 * the hub finds the folder again after a crash.
 */
function nameFor(dataFolder: string): string {
  return `skerry-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 12)}`;
}

function isOurs(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isDirectory()) return false;
  return stat.uid === process.geteuid?.() && (stat.mode & WRITABLE_BY_OTHERS) === 0;
}
