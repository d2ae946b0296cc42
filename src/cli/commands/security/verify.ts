import { basename } from 'node:path';
import { Failure } from '../../../core/errors.ts';
import { readPublicKey } from '../../../crypto/key-files/key-file.ts';
import { trustedKeys } from '../../../crypto/key-files/trusted-keys.ts';
import { type TrustedKey, verifyManifest } from '../../../crypto/signatures.ts';
import { readManifestOrPack } from '../../../deployment/manifest-intake.ts';
import { parseJson } from '../../../manifest/read.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { dataFolder } from '../../data-folder.ts';
import { VERIFY } from '../../reference/security.ts';
import { print, printError } from '../../system.ts';

/** Verifies the signature of a manifest, or of the manifest in a pack. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(VERIFY, args);
  const [file = ''] = positionals;
  if (values.key !== undefined && values.data !== undefined) {
    throw usageFailure('Give either --key or --data', VERIFY);
  }
  const keys = values.key === undefined ? keysOf(dataFolder(values.data)) : [keyOf(values.key)];
  const manifest = parseJson((await readManifestOrPack(file)).text, file);
  try {
    const { name } = await verifyManifest(manifest, keys, file);
    if (values.json) print(JSON.stringify({ good: true, key: name }, null, 2));
    else print(`${file} is signed by "${name}", and nothing in it was changed.`);
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof Failure && thrown.code.startsWith('signature.'))) throw thrown;
    const { code, message } = thrown;
    if (values.json) print(JSON.stringify({ good: false, code, reason: message }, null, 2));
    else printError(`skerry: ${message}`);
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
