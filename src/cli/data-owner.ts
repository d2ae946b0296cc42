import { type Stats, statSync } from 'node:fs';

/**
 * Gives up root's rights for those of the owner of the data folder, permanently. Used by commands that run
 * code or use files which the owner could replace.
 */
export function becomeDataOwner(dataFolder: string): void {
  const owner = ownerBesidesRoot(dataFolder);
  if (owner === undefined) return;
  process.setgroups?.([]);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
}

/**
 * Runs `action` with the rights of the owner of the data folder if this process has root's rights. Files that
 * root creates there could not be read by a hub that runs as another user.
 */
export async function asDataOwner<Value>(
  dataFolder: string,
  action: () => Value | Promise<Value>,
): Promise<Value> {
  const owner = ownerBesidesRoot(dataFolder);
  if (owner === undefined) return action();
  process.setegid?.(owner.gid);
  process.seteuid?.(owner.uid);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

/**
 * Returns the owner of the data folder. Undefined if the folder does not exist or belongs to root, or if this
 * process does not have root's rights.
 */
function ownerBesidesRoot(dataFolder: string): Pick<Stats, 'uid' | 'gid'> | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const owner = statSync(dataFolder, { throwIfNoEntry: false });
  return owner?.uid === 0 ? undefined : owner;
}
