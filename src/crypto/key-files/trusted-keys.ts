import { mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { publicKeyLine } from '../key-text.ts';
import { MAX_TRUSTED_KEYS } from '../limits.ts';
import type { TrustedKey } from '../signatures.ts';
import { keysFolder } from './device-key.ts';
import { createKeyFile, readPublicKey } from './key-file.ts';

const SUFFIX = '.pub';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Reads the public keys whose manifests this hub accepts. A damaged key file is an error. If damaged files
 * were skipped, the hub could be left without trusted keys, and would then accept unsigned manifests from
 * everyone.
 * @throws Failure `key.unreadable`, `key.damaged`, `key.too-many`
 */
export function trustedKeys(dataFolder: string): TrustedKey[] {
  const folder = join(dataFolder, 'keys', 'trusted');
  const files = namesIn(folder).filter(file => file.endsWith(SUFFIX));
  if (files.length > MAX_TRUSTED_KEYS) throw tooMany(folder);
  return files.sort().map(file => {
    const { bytes, comment } = readPublicKey(join(folder, file), 'ed25519');
    return { name: file.slice(0, -SUFFIX.length), bytes, comment };
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return [];
    throw new Failure('key.unreadable', `The folder ${folder} cannot be read: ${reasonOf(thrown)}.`);
  }
}

/**
 * Reads a public key that can be installed as trusted under the name of its file. Throws Failure
 * `key.unreadable` or `key.damaged`.
 */
export function readTrustedKey(file: string): TrustedKey {
  const name = basename(file, SUFFIX);
  const key = { name, ...readPublicKey(file, 'ed25519') };
  if (NAME.test(name)) return key;
  throw new Failure(
    'key.unreadable',
    `The key ${file} must have a name of letters, digits, ".", "_" or "-": rename the file.`,
  );
}

/**
 * Installs a public key as trusted. Returns the key with the name under which it is installed. A key that is
 * already trusted keeps its existing name.
 * @throws Failure `key.exists`, `key.too-many`, `key.unwritable`
 */
export function trustKey(dataFolder: string, key: TrustedKey, random: Random): TrustedKey {
  const before = trustedKeys(dataFolder);
  const same = before.find(({ bytes }) => bytes.equals(key.bytes));
  if (same !== undefined) return same;
  const folder = join(keysFolder(dataFolder), 'trusted');
  if (before.length === MAX_TRUSTED_KEYS) throw tooMany(folder);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw new Failure('key.unwritable', `The folder ${folder} cannot be created: ${reasonOf(thrown)}.`);
  }
  createKeyFile(join(folder, key.name + SUFFIX), publicKeyLine('ed25519', key), 0o644, random);
  return key;
}

function tooMany(folder: string): Failure {
  return new Failure(
    'key.too-many',
    `${folder} may hold at most ${MAX_TRUSTED_KEYS} keys: remove those that are no longer used.`,
  );
}
