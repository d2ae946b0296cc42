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

/** Native libraries that the binary can contain. */
export type NativeName = 'lmdb' | 'pty';

/** SHA-256 of each native library in hexadecimal digits. The build defines the value. */
declare const NATIVE_HASHES: Readonly<Partial<Record<NativeName, string>>>;

/**
 * Write permission bits of group and others. The library is executed, so its file must not have these
 * permissions.
 */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Maximum number of writes of a library. A second write is needed if another process changes the file at the
 * same time.
 */
const MAX_WRITES = 3;

/**
 * Bytes of one read when a file is compared with a library in memory. To read the whole file would need twice
 * the memory.
 */
const CHUNK_BYTES = 1 << 16;

/** Error codes of opening a file that is missing or unusable. The file is then written again. */
const UNUSABLE = ['ENOENT', 'ELOOP', 'EACCES', 'ENXIO'];

let folder: string | undefined;

/** Sets the folder for native libraries. Called once, after the data folder exists. */
export function useNativeFolder(path: string): void {
  folder = path;
}

/**
 * Loads a native library of the binary. The system can only load a library from a file, so the library is
 * first written to the folder that `useNativeFolder` has set. In the binary, packages call this function
 * instead of loading their own library. If the hub runs from sources, packages load their libraries from
 * node_modules.
 * @throws Failure `native.unloadable`
 */
export function loadNative(name: NativeName): unknown {
  const hash = NATIVE_HASHES[name];
  if (hash === undefined) {
    throw unloadable(`This binary has no "${name}": build it where there is a C++ compiler.`);
  }
  if (folder === undefined) throw unloadable(`"${name}" was requested before the data folder was set.`);
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
 * Writes `content` to the private folder `parent`, with the hash in the file name, and returns the path. An
 * existing file is used if it belongs to this user and has the same content; otherwise it is replaced. Other
 * files of `name`, from older binaries or an interrupted write, are removed.
 * @throws Failure `native.unloadable`
 */
export function placeNative(parent: string, name: string, hash: string, content: Buffer): string {
  const file = `${name}-${hash}.node`;
  const path = join(parent, file);
  try {
    ensurePrivate(parent);
    for (let writes = 0; !hasContent(path, content); writes++) {
      if (writes === MAX_WRITES) throw new Error('another process keeps changing it');
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
 * True if `path` is a regular file of this user with this content. Does not follow links or block on a FIFO.
 */
function hasContent(path: string, content: Buffer): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    if (UNUSABLE.includes(systemCode(thrown) ?? '')) return false;
    throw thrown;
  }
  try {
    const stats = fstatSync(descriptor);
    return stats.isFile() && onlyOurs(stats) && stats.size === content.length && isEqual(descriptor, content);
  } finally {
    closeSync(descriptor);
  }
}

function isEqual(descriptor: number, content: Buffer): boolean {
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
    // A rename replaces a file or link, but not a folder.
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmSync(path, { recursive: true });
    renameSync(draft, path);
  } catch (thrown) {
    // Another process that finished first has removed the temporary file. The caller checks the file of that
    // process.
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  } finally {
    rmSync(draft, { force: true });
  }
}

function unloadable(sentence: string): Failure {
  return new Failure('native.unloadable', sentence);
}

/** Returns advice for an error message of glibc's dynamic loader. */
function remedyFor(reason: string): string {
  if (reason.includes('failed to map segment')) {
    return 'its file system is probably mounted noexec, so name a data folder on another with --data DIR';
  }
  if (reason.includes('GLIBC')) return 'this system is older than the binary, so update it or build it here';
  return 'use a binary that was built for this system';
}
