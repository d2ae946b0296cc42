import { constants } from 'node:fs';
import { chmod, link, mkdir, open, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskFailure, fsyncPath } from '../disk.ts';
import { removeTree } from '../remove-tree.ts';
import type { LocalSource, WantedBundle } from '../types.ts';
import type { AddedEntry, BundleItem } from './inventory.ts';
import { readArchive } from './read-archive.ts';
import type { EntryContent } from './tar.ts';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Verifies an archive and unpacks it into the folder `target` atomically: all items are written to the folder
 * `draft` and flushed, then `draft` is renamed. After an error, `draft` is removed.
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
      const added = inventory.add(entry);
      await write(draft, added, content);
    });
    await seal(draft, items, signal);
    await rename(draft, target);
    // The root folder becomes read-only after the rename, because a read-only folder cannot be renamed.
    await chmod(target, 0o555);
    await fsyncPath(dirname(target));
  } catch (thrown) {
    await removeTree(draft);
    throw diskFailure(thrown, bundle.subject, target);
  }
}

/**
 * Writes one entry. The inventory guarantees that this function has created all parent folders of the entry
 * and that no parent folder is a link.
 */
async function write(
  root: string,
  { path, item, folders }: AddedEntry,
  content: EntryContent,
): Promise<void> {
  // Folders are writable until `seal` sets the final mode.
  for (const folder of folders) await mkdir(join(root, folder), { mode: 0o700 });
  const target = join(root, path);
  if (item.kind === 'symlink') return symlink(item.target, target);
  if (item.kind === 'link') return link(join(root, item.target), target);
  if (item.kind === 'folder') return;
  const file = await open(target, NEW_FILE, 0o600);
  try {
    for await (const piece of content) await file.writeFile(piece);
    await file.chmod(item.mode);
  } finally {
    await file.close();
  }
}

/** Flushes all files and makes the folders read-only, subfolders first. */
async function seal(
  root: string,
  items: ReadonlyMap<string, BundleItem>,
  signal: AbortSignal,
): Promise<void> {
  const folders: [string, number][] = [];
  for (const [path, item] of items) {
    signal.throwIfAborted();
    if (item.kind === 'file') await fsyncPath(join(root, path));
    if (item.kind === 'folder') folders.push([path, item.mode]);
  }
  // Descending order puts each folder before its parent.
  for (const [path, mode] of folders.sort(([one], [other]) => (one < other ? 1 : -1))) {
    // The root folder must stay writable until it is renamed.
    if (path !== '') await chmod(join(root, path), mode);
    await fsyncPath(join(root, path));
  }
}
