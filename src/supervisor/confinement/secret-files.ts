import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { Fault } from '../process/start-error.ts';
import type { ModuleSpec } from '../spec.ts';
import type { Account } from './users.ts';

/** Where a module finds its secrets: the folder, if there is one, and paths by variables. */
export type KeptSecrets = {
  readonly folder: string | undefined;
  readonly paths: Readonly<Record<string, string>>;
};

/**
 * Writes a module's secrets into files of their own in `folder`, which is in memory and is made again each time. The module may
 * read them, and nobody else: it owns them, but not the folder, so that it cannot lead the hub astray by links.
 */
export function keepSecrets(
  folder: string,
  files: ModuleSpec['secretFiles'],
  who: Account | undefined,
): KeptSecrets | Fault {
  try {
    rmSync(folder, { recursive: true, force: true });
    if (files.length === 0) return { folder: undefined, paths: {} };
    mkdirSync(folder, { mode: 0o711 });
    chmodSync(folder, 0o711);
    const paths = files.map(({ variable, content }) => {
      const path = join(folder, variable);
      writeFileSync(path, content, { mode: 0o400, flag: 'wx' });
      if (who !== undefined) chownSync(path, who.uid, who.gid);
      return [variable, path] as const;
    });
    return { folder, paths: Object.fromEntries(paths) };
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    const reason = `Its secrets cannot be kept in ${folder} (${reasonOf(error)}): see to the memory of the machine.`;
    return { reason, passing: true };
  }
}

/** Removes a module's secrets once it is gone. */
export function removeSecrets(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
