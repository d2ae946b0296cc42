import { existsSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { Failure } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { publicKeyLine, secretKeyLine } from '../key-text.ts';
import type { KeyPair } from '../keys.ts';
import { createKeyFile } from './key-file.ts';

const SECRET_MODE = 0o600;
const PUBLIC_MODE = 0o644;

/**
 * Writes the two files of a key pair: `<name>.key`, which only its owner can read, and `<name>.pub`. If an
 * error is thrown, neither file remains.
 * @throws Failure `key.exists`, `key.unwritable`
 */
export function createKeyFiles(
  name: string,
  { kind, publicKey, secretKey }: KeyPair,
  random: Random,
): { readonly secretFile: string; readonly publicFile: string } {
  const [secretFile, publicFile] = [`${name}.key`, `${name}.pub`];
  if (existsSync(publicFile)) {
    throw new Failure(
      'key.exists',
      `${publicFile} exists already (EEXIST), and keys are never overwritten: name another file.`,
    );
  }
  createKeyFile(secretFile, secretKeyLine(kind, secretKey), SECRET_MODE, random);
  try {
    const line = publicKeyLine(kind, { bytes: publicKey, comment: basename(name) });
    createKeyFile(publicFile, line, PUBLIC_MODE, random);
  } catch (thrown) {
    // The secret key file is removed, because a secret key without its public key is useless. No data can be
    // encrypted for this key yet.
    rmSync(secretFile);
    throw thrown;
  }
  return { secretFile, publicFile };
}
