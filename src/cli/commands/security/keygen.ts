import { createKeyFiles } from '../../../crypto/key-files/key-pair-files.ts';
import { newKeyPair } from '../../../crypto/keys.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { KEYGEN } from '../../reference/security.ts';
import { print, systemRandom } from '../../system.ts';

/** Generates a key pair for signatures of manifests. */
export async function run(args: readonly string[]): Promise<number> {
  const { out: name } = argumentsOf(KEYGEN, args).values;
  if (name === '' || name.endsWith('/')) throw usageFailure('--out must be the name of a file', KEYGEN);
  const pair = await newKeyPair('ed25519', systemRandom);
  const { secretFile, publicFile } = createKeyFiles(name, pair, systemRandom);
  print(`${secretFile} signs manifests: keep it secret, and a copy of it in a safe place.`);
  print(`${publicFile} goes to the devices: "skerry trust ${publicFile}".`);
  return 0;
}
