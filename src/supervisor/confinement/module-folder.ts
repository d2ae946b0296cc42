import { chmodSync, lchownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { StartError } from '../process/start-error.ts';
import type { Account } from './users.ts';

/**
 * Creates the private folder of a module. Only the module can enter the folder. Other users can traverse the
 * parent folder, but not list it. If the module's user has changed, the folder and the files that the old
 * user owns are given to the new user. Resolves to a start error on failure.
 */
export async function makeModuleFolder(
  folder: string,
  account: Account | undefined,
): Promise<StartError | undefined> {
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o711 });
    setMode(dirname(folder), 0o711);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, gid } = statSync(folder);
    if (account === undefined || (uid === account.uid && gid === account.gid)) return undefined;
    if (uid !== account.uid) await changeOwner(folder, uid, account);
    // The owner of the folder itself is changed last. If a power loss interrupts the changes, the next start
    // therefore repeats all changes.
    lchownSync(folder, account.uid, account.gid);
    return undefined;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    const reason = `Cannot create the module's folder ${folder} (${reasonOf(error)}): check the disk and its permissions.`;
    return { reason, transient: true };
  }
}

/**
 * Changes the owner of all files below a folder from the user `from` to the user `to`. Skips files of other
 * users. Does not follow links.
 */
async function changeOwner(folder: string, from: number, to: Account): Promise<void> {
  const { lchown, lstat, opendir } = await import('node:fs/promises');
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await changeOwner(path, from, to);
    if ((await lstat(path)).uid === from) await lchown(path, to.uid, to.gid);
  }
}

/**
 * Sets the mode of a folder. Writes nothing if the folder already has this mode, because the file system can
 * be read-only.
 */
function setMode(folder: string, mode: number): void {
  if ((statSync(folder).mode & 0o777) !== mode) chmodSync(folder, mode);
}
