import { createHash } from 'node:crypto';
import { accessSync, constants, createReadStream, lstatSync, statSync } from 'node:fs';
import { reasonOf } from '../core/errors.ts';
import type { Places, SlotName } from './paths.ts';
import type { Identity, SlotContent } from './state.ts';

/** Others may not write here: what lies here is run. */
const WRITABLE_BY_OTHERS = 0o022;

/** Bytes read at once: a hub that looks at 110 MB does not hold them. */
const CHUNK_BYTES = 1 << 20;

/** SHA-256 of a file, in hex. Some 0.1 s for a hub on a PC, 1 s on a small machine; others have their turns meanwhile. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) hash.update(chunk);
  return hash.digest('hex');
}

/** What tells the base binary from one that takes its place later. */
export async function identify(path: string): Promise<Identity> {
  return { ...glance(path), sha256: await sha256Of(path) };
}

/** Whether `path` is the same base binary at a glance: without reading it. */
export function looksSame(noted: Identity, path: string): boolean {
  const { size, changed, inode } = glance(path);
  return path === noted.path && size === noted.size && changed === noted.changed && inode === noted.inode;
}

/**
 * Whether `path` is the same base binary, as it now is; undefined: another one. What looks the same at a glance is not
 * read; what was copied, moved or installed again is.
 */
export async function sameBase(noted: Identity, path: string): Promise<Identity | undefined> {
  if (looksSame(noted, path)) return noted;
  const now = glance(path);
  if (now.size !== noted.size || (await sha256Of(path)) !== noted.sha256) return undefined;
  return { ...now, sha256: noted.sha256 };
}

function glance(path: string) {
  const { size, mtimeMs, ino } = statSync(path);
  return { path, size, changed: mtimeMs, inode: ino };
}

/** Why the binary in a slot cannot be run, as far as that is seen without reading it; undefined: it can. */
export function slotTrouble(places: Places, slot: SlotName, { size }: SlotContent): string | undefined {
  const path = places.binary(slot);
  try {
    for (const one of [places.folder, places.slotFolder(slot), path]) {
      const { uid, mode } = lstatSync(one);
      if (uid !== process.geteuid?.() || (mode & WRITABLE_BY_OTHERS) !== 0)
        return `${one} is not this user's alone`;
    }
    const stats = lstatSync(path);
    if (!stats.isFile() || stats.size !== size) return `${path} is damaged`;
    // A file system that is mounted noexec says no here.
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (thrown) {
    return `${path} cannot be run (${reasonOf(thrown)})`;
  }
}

/** The same, by its content. */
export async function slotDamage(
  places: Places,
  slot: SlotName,
  content: SlotContent,
): Promise<string | undefined> {
  const trouble = slotTrouble(places, slot, content);
  if (trouble !== undefined) return trouble;
  const path = places.binary(slot);
  return (await sha256Of(path)) === content.sha256 ? undefined : `${path} is damaged`;
}
