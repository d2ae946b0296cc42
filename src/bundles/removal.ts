import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes a folder with all in it, though its folders cannot be written; follows no links. Nothing there: nothing to do. */
export async function removeTree(path: string): Promise<void> {
  await unlock(path);
  await rm(path, { recursive: true, force: true });
}

async function unlock(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return;
  await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await unlock(join(path, entry.name));
  }
}
