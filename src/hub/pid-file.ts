import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

/**
 * Writes the hub's pid to `skerry.pid` in the data folder, for users and their scripts; the lock does not use
 * it. Logs a failed write or removal. Returns the removal.
 */
export function writePidFile(dataFolder: string, log: Log): () => void {
  const file = join(dataFolder, 'skerry.pid');
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (thrown) {
      if (systemCode(thrown) === undefined) throw thrown;
      log.warn(`The pid of this hub in ${file} is not up to date (${reasonOf(thrown)}).`);
    }
  };
  attempt(() => writeFileSync(file, `${process.pid}\n`, { mode: 0o600 }));
  return () => attempt(() => unlinkSync(file));
}
