import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { getRawAsset } from 'node:sea';
import { Failure, isDiskFull, reasonOf, systemCode } from '../errors.ts';

/** The native parts that the binary may hold. */
export type NativeName = 'lmdb' | 'pty';

/** SHA-256 of each native part, in hex; the build puts it in. */
declare const NATIVE_HASHES: Readonly<Partial<Record<NativeName, string>>>;

/** Write permissions of others; the file is executed, so only its owner may write it. */
const WRITABLE_BY_OTHERS = 0o022;

/** A part is written at most so often; a second time if a process that starts just now was in the way. */
const MAX_WRITES = 3;

/** Bytes compared at once: a start leaves no copy of the whole part in memory. */
const CHUNK_BYTES = 1 << 16;

/** Error codes of an existing file that cannot be opened. It is replaced. */
const UNUSABLE = ['ENOENT', 'ELOOP', 'EACCES', 'ENXIO'];

let folder: string | undefined;

/** Sets the folder for native parts. Called once, after the data folder exists. */
export function useNativeFolder(path: string): void {
  folder = path;
}

/**
 * Loads a native part of the binary, which the system can only load from a file. The bundle calls this where
 * a package would search for its own; from sources, packages find theirs in node_modules.
 * @throws Failure `native.unloadable`
 */
export function loadNative(name: NativeName): unknown {
  const hash = NATIVE_HASHES[name];
  if (hash === undefined) {
    throw unloadable(`This binary has no "${name}": build it where there is a C++ compiler.`);
  }
  if (folder === undefined) throw unloadable(`"${name}" was asked for before the data folder was known.`);
  const path = placeNative(folder, name, hash, Buffer.from(getRawAsset(name)));
  const module = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch (thrown) {
    throw unloadable(`${path} cannot be loaded (${reasonOf(thrown)}): ${remedyFor(reasonOf(thrown))}.`);
  }
  return module.exports;
}

/**
 * Puts `content` into the private folder under its hash, in hex, and returns the path. A file that is already
 * there is used if it is ours and holds these very bytes, and replaced if not. Others of `name`, which older
 * binaries or a power cut left, are removed.
 * @throws Failure `native.unloadable`
 */
export function placeNative(parent: string, name: string, hash: string, content: Buffer): string {
  const file = `${name}-${hash}.node`;
  const path = join(parent, file);
  try {
    ensurePrivate(parent);
    for (let writes = 0; !holds(path, content); writes++) {
      if (writes === MAX_WRITES) throw new Error('something else keeps changing it');
      replace(path, content);
    }
    for (const other of readdirSync(parent)) {
      if (other.startsWith(`${name}-`) && other !== file) rmSync(join(parent, other), { force: true });
    }
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    const remedy = isDiskFull(thrown) ? 'free space on its disk, or name' : 'name';
    throw unloadable(
      `${path} cannot be written (${reasonOf(thrown)}): ${remedy} another data folder with --data DIR.`,
    );
  }
  return path;
}

function ensurePrivate(parent: string): void {
  try {
    mkdirSync(parent, { mode: 0o700 });
  } catch (thrown) {
    if (systemCode(thrown) !== 'EEXIST') throw thrown;
  }
  const stats = lstatSync(parent);
  if (stats.isDirectory() && onlyOurs(stats)) return;
  throw unloadable(
    `${parent} is not a folder that only this user can write to, so nothing is run from it: remove it.`,
  );
}

function onlyOurs({ uid, mode }: Stats): boolean {
  return uid === process.geteuid?.() && (mode & WRITABLE_BY_OTHERS) === 0;
}

/**
 * True if `path` is a regular file of this user with these bytes. Follows no link and does not block on a
 * FIFO.
 */
function holds(path: string, content: Buffer): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    if (UNUSABLE.includes(systemCode(thrown) ?? '')) return false;
    throw thrown;
  }
  try {
    const stats = fstatSync(descriptor);
    return stats.isFile() && onlyOurs(stats) && stats.size === content.length && reads(descriptor, content);
  } finally {
    closeSync(descriptor);
  }
}

function reads(descriptor: number, content: Buffer): boolean {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (let start = 0; start < content.length; ) {
    const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, start);
    const expected = content.subarray(start, start + length);
    if (length === 0 || !expected.equals(chunk.subarray(0, length))) return false;
    start += length;
  }
  return true;
}

/** Replaces a file atomically: writes a temporary file and renames it. */
function replace(path: string, content: Buffer): void {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    writeFileSync(draft, content, { flag: 'wx', mode: 0o500 });
    // Files and links give way to a rename, folders do not.
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmSync(path, { recursive: true });
    renameSync(draft, path);
  } catch (thrown) {
    // Another process that was done first has tidied the draft away; what it placed is looked at next.
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  } finally {
    rmSync(draft, { force: true });
  }
}

function unloadable(sentence: string): Failure {
  return new Failure('native.unloadable', sentence);
}

/** Advice by the error message of glibc's dynamic loader. */
function remedyFor(reason: string): string {
  if (reason.includes('failed to map segment')) {
    return 'its file system is probably mounted noexec, so name a data folder on another with --data DIR';
  }
  if (reason.includes('GLIBC')) return 'this system is older than the binary, so update it or build it here';
  return 'take a binary that was built for this system';
}
