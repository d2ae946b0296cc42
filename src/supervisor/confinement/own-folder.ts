import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { Fault } from '../fault.ts';
import type { Account } from './users.ts';

/**
 * A folder that its module alone may enter, on a way that others may pass but not look into, whatever the hub's umask is.
 * A Fault names what hinders it.
 */
export function makeOwnFolder(folder: string, who: Account | undefined): Fault | undefined {
  try {
    mkdirSync(dirname(folder), { recursive: true, mode: 0o711 });
    setMode(dirname(folder), 0o711);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, gid } = statSync(folder);
    if (who !== undefined && (uid !== who.uid || gid !== who.gid)) chownSync(folder, who.uid, who.gid);
    return undefined;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    const reason = `Its own folder ${folder} cannot be made (${reasonOf(error)}): see to the disk that it is on.`;
    return { reason, passing: true };
  }
}

/** Where it is right already the file system may be read-only. */
function setMode(folder: string, mode: number): void {
  if ((statSync(folder).mode & 0o777) !== mode) chmodSync(folder, mode);
}
