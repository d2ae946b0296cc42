import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

/**
 * Writes the hub's pid to `skerry.pid` in the data folder, for scripts of users. The hub itself does not read
 * this file. Returns a function that removes the file. A failed write or removal is logged.
 */
export function writePidFile(dataFolder: string, log: Log): () => void {
  const file = join(dataFolder, 'skerry.pid');
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (thrown) {
      if (systemCode(thrown) === undefined) throw thrown;
      log.warn(`Cannot update the pid file ${file}: ${reasonOf(thrown)}.`);
    }
  };
  attempt(() => writeFileSync(file, `${process.pid}\n`, { mode: 0o600 }));
  return () => attempt(() => unlinkSync(file));
}
