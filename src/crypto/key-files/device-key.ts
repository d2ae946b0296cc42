import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { publicKeyLine, secretKeyLine } from '../key-text.ts';
import { type KeyPair, newKeyPair } from '../keys.ts';
import { createKeyFile, readKeyPair, replacePublicFile } from './key-file.ts';

const FOLDER = 'keys';

/**
 * Returns the path of the folder for keys in a data folder. Creates the folder if necessary. Throws Failure
 * `key.unwritable`.
 */
export function keysFolder(dataFolder: string): string {
  const folder = join(dataFolder, FOLDER);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw new Failure('key.unwritable', `The folder ${folder} cannot be created: ${reasonOf(thrown)}.`);
  }
  return folder;
}

/** Returns the path of the public key that encrypts secrets for this hub. */
export function devicePublicFile(dataFolder: string): string {
  return join(dataFolder, FOLDER, 'device.pub');
}

/**
 * Reads the key that decrypts secrets for this hub. Creates the key on first use.
 * @throws Failure `key.unreadable`, `key.damaged`, `key.exposed`, `key.unwritable`
 */
export async function openDeviceKey(dataFolder: string, random: Random): Promise<KeyPair> {
  const secretFile = join(keysFolder(dataFolder), 'device.key');
  const publicFile = devicePublicFile(dataFolder);
  if (!existsSync(secretFile)) await createDeviceKey(secretFile, publicFile, random);
  const pair = await readKeyPair(secretFile, 'x25519');
  const line = publicKeyLine('x25519', { bytes: pair.publicKey, comment: 'device' });
  if (!hasContent(publicFile, line)) replacePublicFile(publicFile, line, random);
  return pair;
}

async function createDeviceKey(secretFile: string, publicFile: string, random: Random): Promise<void> {
  if (existsSync(publicFile)) {
    throw new Failure(
      'key.unreadable',
      `${secretFile} is missing, so secrets that were sealed for it cannot be decrypted: restore it, or remove ${publicFile} to create a new key, and seal again.`,
    );
  }
  const { secretKey } = await newKeyPair('x25519', random);
  try {
    createKeyFile(secretFile, secretKeyLine('x25519', secretKey), 0o600, random);
  } catch (thrown) {
    // If another process has created the key in the meantime, the key of the other process is used.
    if (!(thrown instanceof Failure && thrown.code === 'key.exists')) throw thrown;
  }
}

function hasContent(file: string, text: string): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  return size === text.length && readFileSync(file, 'latin1') === text;
}
