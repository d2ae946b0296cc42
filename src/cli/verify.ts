import { basename } from 'node:path';
import { Failure } from '../core/errors.ts';
import { readPublicKey } from '../crypto/key-files/file.ts';
import { trustedKeys } from '../crypto/key-files/trusted.ts';
import { type TrustedKey, verifyManifest } from '../crypto/signatures.ts';
import { parseJson, readManifestText } from '../manifest/read.ts';
import { print } from './edge.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';

export const usage = 'skerry verify <manifest> [--key PUB | --data DIR]';

/** Says whether a manifest is signed by a key, or by one that is trusted. Exit code 1 if it is not. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = flagsOf(args, { key: { type: 'string' }, data: { type: 'string' } }, usage);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw usageFailure('Name one manifest', usage);
  if (values.key !== undefined && values.data !== undefined) {
    throw usageFailure('Give either --key or --data', usage);
  }
  const keys = values.key === undefined ? keysOf(dataFolder(values.data)) : [keyOf(values.key)];
  const manifest = parseJson(readManifestText(file), file);
  try {
    const { name } = await verifyManifest(manifest, keys, file);
    print(`${file} is signed by "${name}", and nothing in it was changed.`);
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof Failure && thrown.code.startsWith('signature.'))) throw thrown;
    process.stderr.write(`skerry: ${thrown.message}\n`);
    return 1;
  }
}

function keyOf(file: string): TrustedKey {
  return { name: basename(file, '.pub'), ...readPublicKey(file, 'ed25519') };
}

function keysOf(folder: string): TrustedKey[] {
  const keys = trustedKeys(folder);
  if (keys.length > 0) return keys;
  throw new Failure(
    'usage',
    `No key is trusted in ${folder}: name one with --key, or install it with "skerry trust".`,
  );
}
