import { accessSync, constants, existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Default data folder if this folder exists and is writable. */
export const SYSTEM_DATA_FOLDER = '/var/lib/skerry';

/** Default data folder if SYSTEM_DATA_FOLDER does not exist or is not writable. */
const LOCAL_DATA_FOLDER = '.skerry';

/**
 * Returns the data folder: the value of `option`, else $SKERRY_DATA, else /var/lib/skerry if it is writable,
 * else ./.skerry.
 */
export function dataFolder(option: string | undefined): string {
  const named = option ?? process.env['SKERRY_DATA'];
  if (named !== undefined && named !== '') return resolve(named);
  return isWritable(SYSTEM_DATA_FOLDER) ? SYSTEM_DATA_FOLDER : resolve(LOCAL_DATA_FOLDER);
}

/**
 * Returns a hint for the user if the command uses the local data folder only because the user has no access
 * to the system's data folder. Otherwise undefined.
 */
export function systemHint(
  folder: string,
  isThere: boolean = existsSync(SYSTEM_DATA_FOLDER),
): string | undefined {
  if (folder !== resolve(LOCAL_DATA_FOLDER) || !isThere) return undefined;
  return `the hub of ${SYSTEM_DATA_FOLDER} answers its own user and root only, so use sudo for that`;
}

function isWritable(folder: string): boolean {
  if (!existsSync(folder)) return false;
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
