import { createHash } from 'node:crypto';
import { accessSync, constants, createReadStream, lstatSync, statSync } from 'node:fs';
import { reasonOf } from '../core/errors.ts';
import type { SlotName, UpdatePaths } from './paths.ts';
import type { BinaryIdentity, SlotContent } from './state.ts';

/** Permission bits that let other users replace a binary that the hub runs. */
const WRITABLE_BY_OTHERS = 0o022;

/** Bytes per read. A hub binary (110 MB) is read in pieces to save memory. */
const CHUNK_BYTES = 1 << 20;

/**
 * Computes the SHA-256 of a file in hexadecimal digits. Takes about 0.1 s for a hub binary on a PC, and 1 s
 * on a small machine. Does not block the event loop.
 */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * Reads the identity of the installed binary. A later comparison with this identity shows if the file was
 * replaced.
 */
export async function identifyBinary(path: string): Promise<BinaryIdentity> {
  return { ...statOf(path), sha256: await sha256Of(path) };
}

/**
 * True if the path, size, modification time and inode of the file are unchanged. Does not read the file's
 * content.
 */
export function looksUnchanged(recorded: BinaryIdentity, path: string): boolean {
  const { size, changed, inode } = statOf(path);
  return (
    path === recorded.path &&
    size === recorded.size &&
    changed === recorded.changed &&
    inode === recorded.inode
  );
}

/**
 * Returns the current identity of the installed binary. Returns undefined if its content differs from the
 * recorded content. Reads the content only if the path, size, modification time or inode has changed.
 */
export async function matchBase(recorded: BinaryIdentity, path: string): Promise<BinaryIdentity | undefined> {
  if (looksUnchanged(recorded, path)) return recorded;
  const now = statOf(path);
  if (now.size !== recorded.size || (await sha256Of(path)) !== recorded.sha256) return undefined;
  return { ...now, sha256: recorded.sha256 };
}

function statOf(path: string) {
  const { size, mtimeMs, ino } = statSync(path);
  return { path, size, changed: mtimeMs, inode: ino };
}

/**
 * Returns the reason why the binary in a slot cannot run. Undefined if it can run. Does not read the content
 * of the binary.
 */
export function slotProblem(paths: UpdatePaths, slot: SlotName, { size }: SlotContent): string | undefined {
  const path = paths.binary(slot);
  try {
    for (const one of [paths.folder, paths.slotFolder(slot), path]) {
      const { uid, mode } = lstatSync(one);
      if (uid !== process.geteuid?.() || (mode & WRITABLE_BY_OTHERS) !== 0)
        return `${one} is writable by other users or owned by another`;
    }
    const stats = lstatSync(path);
    if (!stats.isFile() || stats.size !== size) return `${path} is corrupted`;
    // Throws if the file system is mounted with the option noexec.
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (thrown) {
    return `${path} cannot be run (${reasonOf(thrown)})`;
  }
}

/**
 * Returns the reason why the binary in a slot cannot run. Undefined if it can run. Reads the content of the
 * binary to verify its hash.
 */
export async function verifySlot(
  paths: UpdatePaths,
  slot: SlotName,
  content: SlotContent,
): Promise<string | undefined> {
  const problem = slotProblem(paths, slot, content);
  if (problem !== undefined) return problem;
  const path = paths.binary(slot);
  return (await sha256Of(path)) === content.sha256 ? undefined : `${path} is corrupted`;
}
