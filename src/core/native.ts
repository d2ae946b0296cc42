import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { getRawAsset } from 'node:sea';
import { Failure, reasonOf, systemCode } from './errors.ts';

/** The native parts that the binary may hold. */
export type NativeName = 'lmdb' | 'pty';

/** SHA-256 of each native part, in hex; the build puts it in. */
declare const NATIVE_HASHES: Readonly<Record<string, string>>;

/** Others may not write here: what lies here is run. */
const WRITABLE_BY_OTHERS = 0o022;

let folder: string | undefined;

/** Names the folder that native parts are written to; made with mode 0700. Called once, before any is loaded. */
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
    throw new Failure(
      'native.unloadable',
      `This binary was built without "${name}": build it with a C++ compiler.`,
    );
  }
  if (folder === undefined)
    throw new Failure('native.unloadable', `"${name}" is asked for before the data folder.`);
  const path = placeNative(folder, name, hash, Buffer.from(getRawAsset(name)));
  const module = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch (thrown) {
    throw new Failure(
      'native.unloadable',
      `${path} cannot be loaded (${reasonOf(thrown)}): if its file system is mounted noexec, name a data folder on another with --data DIR.`,
    );
  }
  return module.exports;
}

/**
 * Puts `content` into the private folder under its hash and returns the path. A file that is already there
 * is used if it is ours and holds these very bytes, and replaced if not. Older ones of `name` are removed.
 * @throws Failure `native.unloadable`
 */
export function placeNative(parent: string, name: string, hash: string, content: Buffer): string {
  const file = `${name}-${hash}.node`;
  const path = join(parent, file);
  try {
    ensurePrivate(parent);
    if (!holds(path, content)) replace(path, content);
    for (const other of readdirSync(parent)) {
      if (other.startsWith(`${name}-`) && other !== file && other.endsWith('.node'))
        rmSync(join(parent, other));
    }
  } catch (thrown) {
    if (thrown instanceof Failure) throw thrown;
    throw new Failure(
      'native.unloadable',
      `${path} cannot be written (${reasonOf(thrown)}): name another data folder with --data DIR.`,
    );
  }
  return path;
}

function ensurePrivate(parent: string): void {
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(parent);
  const ours = uid === process.geteuid?.();
  if ((mode & constants.S_IFMT) === constants.S_IFDIR && ours && (mode & WRITABLE_BY_OTHERS) === 0) return;
  throw new Failure(
    'native.unloadable',
    `${parent} is not a folder that only this user can write to, so nothing is run from it: remove it.`,
  );
}

/** Whether a plain file of ours with these bytes lies there; never follows a link. */
function holds(path: string, content: Buffer): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (thrown) {
    const code = systemCode(thrown);
    if (code === 'ENOENT' || code === 'ELOOP') return false;
    throw thrown;
  }
  try {
    const { uid, mode } = fstatSync(descriptor);
    const plain = (mode & constants.S_IFMT) === constants.S_IFREG;
    const ours = uid === process.geteuid?.() && (mode & WRITABLE_BY_OTHERS) === 0;
    return plain && ours && readFileSync(descriptor).equals(content);
  } finally {
    closeSync(descriptor);
  }
}

/** Written aside and renamed, so that nobody ever sees a part of it. */
function replace(path: string, content: Buffer): void {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    writeFileSync(draft, content, { flag: 'wx', mode: 0o500 });
    rmSync(path, { recursive: true, force: true });
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
