import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { flushFolder } from '../../core/files/durable.ts';
import type { Random } from '../../core/random.ts';
import { type PublicKey, parsePublicKey, parseSecretKey } from '../key-text.ts';
import { type KeyKind, type KeyPair, keyPairOf } from '../keys.ts';
import { MAX_KEY_FILE_BYTES } from '../limits.ts';

/** Permission bits of group and others. */
const GROUP_AND_OTHERS = 0o077;

type KeyFile = { readonly text: string; readonly mode: number };

/** Reads a public key. Throws Failure `key.unreadable` or `key.damaged`. */
export function readPublicKey(file: string, kind: KeyKind): PublicKey {
  return parsePublicKey(readKeyFile(file).text, file, kind);
}

/**
 * Reads a secret key and derives its key pair. Throws Failure `key.unreadable`, `key.damaged` or
 * `key.exposed`.
 */
export async function readKeyPair(file: string, kind: KeyKind): Promise<KeyPair> {
  const { text, mode } = readKeyFile(file);
  const secretKey = parseSecretKey(text, file, kind);
  if ((mode & GROUP_AND_OTHERS) === 0) return keyPairOf(kind, secretKey);
  throw new Failure(
    'key.exposed',
    `The secret key ${file} is readable by other users (mode ${(mode & 0o777).toString(8).padStart(4, '0')}): restrict it with "chmod 600", or create a new key if another user may have read it.`,
  );
}

function readKeyFile(file: string): KeyFile {
  let descriptor: number;
  try {
    // O_NONBLOCK is set, so that opening a FIFO does not wait for a writer.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    const reason = systemCode(thrown) === 'ENOENT' ? 'no such file (ENOENT)' : reasonOf(thrown);
    throw new Failure('key.unreadable', `The key ${file} cannot be read: ${reason}.`);
  }
  try {
    return contentOf(descriptor, file);
  } finally {
    closeSync(descriptor);
  }
}

function contentOf(descriptor: number, file: string): KeyFile {
  const stats = fstatSync(descriptor);
  if (!stats.isFile())
    throw new Failure('key.unreadable', `The key ${file} cannot be read: it is not a regular file.`);
  const bytes = Buffer.alloc(MAX_KEY_FILE_BYTES + 1);
  const length = readSync(descriptor, bytes, 0, bytes.length, 0);
  if (length > MAX_KEY_FILE_BYTES) {
    throw new Failure('key.damaged', `${file} is too long for a key: name a Skerry key.`);
  }
  return { text: bytes.toString('utf8', 0, length), mode: stats.mode };
}

/**
 * Creates a key file atomically and durably. Never overwrites an existing file.
 * @throws Failure `key.exists`, `key.unwritable`
 */
export function createKeyFile(file: string, text: string, mode: number, random: Random): void {
  writeAtomically(file, text, mode, random, linkSync);
}

/**
 * Replaces a public key file atomically. Must not be used for secret keys, because the old secret key would
 * be lost.
 */
export function replacePublicFile(file: string, text: string, random: Random): void {
  writeAtomically(file, text, 0o644, random, renameSync);
}

function writeAtomically(
  file: string,
  text: string,
  mode: number,
  random: Random,
  publish: (draft: string, file: string) => void,
): void {
  const draft = `${file}.${random.bytes(8).toString('hex')}`;
  try {
    const descriptor = openSync(draft, 'wx', mode);
    // Sets the mode explicitly, because the umask can have removed bits.
    fchmodSync(descriptor, mode);
    writeAndClose(descriptor, text);
    publish(draft, file);
    flushFolder(dirname(file));
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') {
      throw new Failure(
        'key.exists',
        `${file} exists already (EEXIST), and keys are never overwritten: name another file.`,
      );
    }
    throw new Failure('key.unwritable', `The key ${file} cannot be written: ${reasonOf(thrown)}.`);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Writes `text`, flushes the file with fsync and closes it. */
function writeAndClose(descriptor: number, text: string): void {
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
