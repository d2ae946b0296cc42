import { existsSync } from 'node:fs';
import { Failure } from '../../../core/errors.ts';
import { devicePublicFile, openDeviceKey } from '../../../crypto/key-files/device-key.ts';
import { readPublicKey } from '../../../crypto/key-files/key-file.ts';
import { MAX_SECRET_BYTES } from '../../../crypto/limits.ts';
import { sealSecret } from '../../../crypto/sealing.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { dataFolder } from '../../data-folder.ts';
import { asDataOwner } from '../../data-owner.ts';
import { SEAL } from '../../reference/security.ts';
import { print, systemRandom } from '../../system.ts';
import { readSecret, readSecretFile } from './secret.ts';

/**
 * Encrypts a secret for one device and prints the encrypted text for the manifest. Reads the secret from
 * standard input, because every user of the machine can see the arguments of a process.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(SEAL, args);
  if (values.to !== undefined && values.data !== undefined) {
    throw usageFailure('Give either --to or --data', SEAL);
  }
  const key =
    values.to === undefined
      ? await deviceKey(dataFolder(values.data))
      : readPublicKey(values.to, 'x25519').bytes;
  const secret = process.stdin.isTTY ? await promptForSecret() : await readSecretFile(MAX_SECRET_BYTES);
  if (secret.length === 0) throw new Failure('usage', 'The secret is empty.');
  if (secret.length > MAX_SECRET_BYTES) {
    throw new Failure('usage', `The secret is longer than ${MAX_SECRET_BYTES} bytes.`);
  }
  print(await sealSecret(secret, key, systemRandom));
  return 0;
}

async function promptForSecret(): Promise<Buffer> {
  const secret = await readSecret('Secret: ', MAX_SECRET_BYTES);
  if (secret.equals(await readSecret('Again: ', MAX_SECRET_BYTES))) return secret;
  throw new Failure('usage', 'The two are not the same.');
}

/** Reads the public key of the device. Generates the key pair if the device has none. */
async function deviceKey(folder: string): Promise<Buffer> {
  const file = devicePublicFile(folder);
  if (existsSync(file)) return readPublicKey(file, 'x25519').bytes;
  return (await asDataOwner(folder, () => openDeviceKey(folder, systemRandom))).publicKey;
}
