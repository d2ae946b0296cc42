import { createKeyFiles } from '../crypto/key-files/pair.ts';
import { newKeyPair } from '../crypto/keys.ts';
import { print, systemRandom } from './edge.ts';
import { flagsOf, usageFailure } from './flags.ts';

export const usage =
  'skerry keygen [--out NAME]    # writes NAME.key and NAME.pub, else skerry.key and skerry.pub';

/** Makes the two halves of a key that signs manifests. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = flagsOf(args, { out: { type: 'string' } }, usage);
  if (positionals.length > 0) throw usageFailure('Name the files with --out', usage);
  const name = values.out ?? 'skerry';
  if (name === '' || name.endsWith('/')) throw usageFailure('--out is the name of a file', usage);
  const pair = await newKeyPair('ed25519', systemRandom);
  const { secretFile, publicFile } = createKeyFiles(name, pair, systemRandom);
  print(`${secretFile} signs manifests: keep it secret, and a copy of it in a safe place.`);
  print(`${publicFile} goes to the devices: "skerry trust ${publicFile}".`);
  return 0;
}
