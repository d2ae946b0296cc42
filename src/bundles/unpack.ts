import { constants } from 'node:fs';
import { chmod, link, mkdir, open, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readArchive } from './archive.ts';
import { diskFailure, sync } from './disk.ts';
import type { Admitted, Item } from './inventory.ts';
import { removeTree } from './removal.ts';
import type { Content } from './tar.ts';
import type { LocalSource, WantedBundle } from './types.ts';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Unpacks a verified archive into the folder `target`, which is there as a whole or not at all: all is in `draft`, and
 * on the disk, before it gets its name. Throws Failure; then nothing of it is left.
 */
export async function unpack(
  bundle: WantedBundle,
  local: LocalSource,
  { draft, target, signal }: { draft: string; target: string; signal: AbortSignal },
): Promise<void> {
  try {
    await removeTree(draft);
    await mkdir(draft, { mode: 0o700 });
    const { items } = await readArchive(bundle, local, signal, async (entry, content, inventory) => {
      const admitted = inventory.admit(entry);
      await write(draft, admitted, content);
    });
    await seal(draft, items, signal);
    await rename(draft, target);
    // A folder that cannot be written cannot be moved either.
    await chmod(target, 0o555);
    await sync(dirname(target));
  } catch (thrown) {
    await removeTree(draft);
    throw diskFailure(thrown, bundle.subject, target);
  }
}

/** Writes one entry. Every folder on its way was made here, and no link is among them: the inventory saw to it. */
async function write(root: string, { path, item, folders }: Admitted, content: Content): Promise<void> {
  // The mode that they are to have would forbid to fill them.
  for (const folder of folders) await mkdir(join(root, folder), { mode: 0o700 });
  const place = join(root, path);
  if (item.kind === 'symlink') return symlink(item.target, place);
  if (item.kind === 'link') return link(join(root, item.target), place);
  if (item.kind === 'folder') return;
  const file = await open(place, NEW_FILE, 0o600);
  try {
    for await (const piece of content) await file.writeFile(piece);
    await file.chmod(item.mode);
  } finally {
    await file.close();
  }
}

/** Puts all on the disk, and takes the folders' leave to be written away, the inner ones first. */
async function seal(root: string, items: ReadonlyMap<string, Item>, signal: AbortSignal): Promise<void> {
  const folders: [string, number][] = [];
  for (const [path, item] of items) {
    signal.throwIfAborted();
    if (item.kind === 'file') await sync(join(root, path));
    if (item.kind === 'folder') folders.push([path, item.mode]);
  }
  // A path comes behind its folder's in this order.
  for (const [path, mode] of folders.sort(([one], [other]) => (one < other ? 1 : -1))) {
    // The outermost is still to be renamed.
    if (path !== '') await chmod(join(root, path), mode);
    await sync(join(root, path));
  }
}
