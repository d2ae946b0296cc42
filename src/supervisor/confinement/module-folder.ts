import { chmodSync, lchownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { Fault } from '../process/start-error.ts';
import type { Account } from './users.ts';

/**
 * Makes a folder that its module alone may enter, on a way that others may pass but not look into, whatever the hub's umask
 * is. If it belongs to another user than its module has now, it is handed over, with all in it that belonged to that user.
 * A Fault names what hinders it.
 */
export async function makeOwnFolder(folder: string, who: Account | undefined): Promise<Fault | undefined> {
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o711 });
    setMode(dirname(folder), 0o711);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, gid } = statSync(folder);
    if (who === undefined || (uid === who.uid && gid === who.gid)) return undefined;
    if (uid !== who.uid) await handOver(folder, uid, who);
    // Last: if the machine goes down before, the next start begins again.
    lchownSync(folder, who.uid, who.gid);
    return undefined;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    const reason = `Its own folder ${folder} cannot be made (${reasonOf(error)}): see to the disk that it is on.`;
    return { reason, passing: true };
  }
}

/** Changes the owner of all below a folder that belongs to `from`; links are changed and never followed. */
async function handOver(folder: string, from: number, to: Account): Promise<void> {
  const { lchown, lstat, opendir } = await import('node:fs/promises');
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await handOver(path, from, to);
    if ((await lstat(path)).uid === from) await lchown(path, to.uid, to.gid);
  }
}

/** Where it is right already the file system may be read-only. */
function setMode(folder: string, mode: number): void {
  if ((statSync(folder).mode & 0o777) !== mode) chmodSync(folder, mode);
}
