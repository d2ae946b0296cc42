import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../../core/errors.ts';
import type { StartError } from '../process/start-error.ts';
import type { ModuleSpec } from '../spec.ts';
import type { Account } from './users.ts';

/**
 * Secret files of a module. `folder` contains the files. `paths` contains the path of each file by
 * environment variable.
 */
export type SecretFiles = {
  readonly folder: string | undefined;
  readonly paths: Readonly<Record<string, string>>;
};

/**
 * Writes the secrets of a module into files in `folder` on a tmpfs. Creates the folder again at each start.
 * Only the module can read the files. The hub owns the folder, so that the module cannot create links in the
 * folder.
 */
export function writeSecrets(
  folder: string,
  files: ModuleSpec['secretFiles'],
  account: Account | undefined,
): SecretFiles | StartError {
  try {
    rmSync(folder, { recursive: true, force: true });
    if (files.length === 0) return { folder: undefined, paths: {} };
    mkdirSync(folder, { mode: 0o711 });
    chmodSync(folder, 0o711);
    const paths = files.map(({ variable, content }) => {
      const path = join(folder, variable);
      writeFileSync(path, content, { mode: 0o400, flag: 'wx' });
      if (account !== undefined) chownSync(path, account.uid, account.gid);
      return [variable, path] as const;
    });
    return { folder, paths: Object.fromEntries(paths) };
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    const reason = `Cannot write secrets to ${folder} (${reasonOf(error)}): check the free memory of the machine.`;
    return { reason, transient: true };
  }
}

export function removeSecrets(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
