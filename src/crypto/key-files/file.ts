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
import type { Random } from '../../core/random.ts';
import { type PublicKey, parsePublicKey, parseSecretKey } from '../key-text.ts';
import { type KeyKind, type KeyPair, keyPairOf } from '../keys.ts';
import { MAX_KEY_FILE_BYTES } from '../limits.ts';

/** Who may do anything with the file but its owner. */
const OTHERS = 0o077;

type KeyFile = { readonly text: string; readonly mode: number };

/** Failure `key.unreadable`, `key.damaged` */
export function readPublicKey(file: string, kind: KeyKind): PublicKey {
  return parsePublicKey(readKeyFile(file).text, file, kind);
}

/** Both halves, from the file of the secret one. Failure `key.unreadable`, `key.damaged`, `key.exposed` */
export async function readKeyPair(file: string, kind: KeyKind): Promise<KeyPair> {
  const { text, mode } = readKeyFile(file);
  const secretKey = parseSecretKey(text, file, kind);
  if ((mode & OTHERS) === 0) return keyPairOf(kind, secretKey);
  throw new Failure(
    'key.exposed',
    `The secret key ${file} is open to others (mode ${(mode & 0o777).toString(8).padStart(4, '0')}): make it yours alone with "chmod 600", or a new one if somebody may have read it.`,
  );
}

function readKeyFile(file: string): KeyFile {
  let descriptor: number;
  try {
    // A pipe would hold it up.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    const reason = systemCode(thrown) === 'ENOENT' ? 'it is not there' : reasonOf(thrown);
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
    throw new Failure('key.unreadable', `The key ${file} cannot be read: it is not a file.`);
  const bytes = Buffer.alloc(MAX_KEY_FILE_BYTES + 1);
  const length = readSync(descriptor, bytes, 0, bytes.length, 0);
  if (length > MAX_KEY_FILE_BYTES) {
    throw new Failure('key.damaged', `${file} is longer than a key is: name a key of skerry.`);
  }
  return { text: bytes.toString('utf8', 0, length), mode: stats.mode };
}

/**
 * A new file, there as a whole or not at all, also after a power cut. What is there already stays as it is.
 * @throws Failure `key.exists`, `key.unwritable`
 */
export function createKeyFile(file: string, text: string, mode: number, random: Random): void {
  placed(file, text, mode, random, linkSync);
}

/** The same in the place of what is there. Not for secrets, which nobody could bring back. */
export function replacePublicFile(file: string, text: string, random: Random): void {
  placed(file, text, 0o644, random, renameSync);
}

function placed(
  file: string,
  text: string,
  mode: number,
  random: Random,
  place: (draft: string, file: string) => void,
): void {
  const draft = `${file}.${random.bytes(8).toString('hex')}`;
  try {
    const descriptor = openSync(draft, 'wx', mode);
    // Whatever the umask.
    fchmodSync(descriptor, mode);
    flushed(descriptor, text);
    place(draft, file);
    flushed(openSync(dirname(file), 'r'));
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') {
      throw new Failure(
        'key.exists',
        `${file} is there already, and no key is overwritten: name another file.`,
      );
    }
    throw new Failure('key.unwritable', `The key ${file} cannot be written: ${reasonOf(thrown)}.`);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Closes it when all, `text` too, is on the disk. */
function flushed(descriptor: number, text = ''): void {
  try {
    if (text !== '') writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
