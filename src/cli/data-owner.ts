import { statSync } from 'node:fs';

/**
 * Runs `action` with the rights of the owner of the data folder if this process has root's rights. Files that
 * root creates there could not be read by a hub that runs as another user.
 */
export async function asDataOwner<Value>(
  dataFolder: string,
  action: () => Value | Promise<Value>,
): Promise<Value> {
  const owner = statSync(dataFolder, { throwIfNoEntry: false });
  if (process.geteuid?.() !== 0 || owner === undefined || owner.uid === 0) return action();
  process.setegid?.(owner.gid);
  process.seteuid?.(owner.uid);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}
