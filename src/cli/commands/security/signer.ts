import { Failure } from '../../../core/errors.ts';
import { readKeyPair } from '../../../crypto/key-files/key-file.ts';
import { parseSecretKey } from '../../../crypto/key-text.ts';
import { type KeyPair, keyPairOf } from '../../../crypto/keys.ts';
import { signManifest } from '../../../crypto/signatures.ts';
import { parseManifest } from '../../../manifest/read.ts';
import type { Manifest } from '../../../manifest/types.ts';
import { usageFailure } from '../../arguments.ts';
import type { Definition } from '../../reference/definition.ts';
import { printError } from '../../system.ts';

/** Values of the options that name a secret key. */
export type KeyOptions = {
  readonly key?: string | undefined;
  readonly 'key-env'?: string | undefined;
};

/**
 * Returns a function that reads the secret key from the file of `--key` or from the environment variable of
 * `--key-env`. Undefined if neither option is given. Throws Failure `usage`.
 */
export function keyReader(
  { key, 'key-env': variable }: KeyOptions,
  definition: Definition,
): (() => Promise<KeyPair>) | undefined {
  if (variable === undefined) return key === undefined ? undefined : () => readKeyPair(key, 'ed25519');
  if (key !== undefined) throw usageFailure('Give either --key or --key-env', definition);
  const text = process.env[variable];
  if (text === undefined || text === '')
    throw usageFailure(`The environment variable ${variable}, which --key-env names, is empty`, definition);
  return () => keyPairOf('ed25519', parseSecretKey(text, `the environment variable ${variable}`, 'ed25519'));
}

/**
 * Returns a function that signs a manifest with a secret key. Refuses a manifest that a device would refuse.
 */
export function signerWith(
  readKey: () => Promise<KeyPair>,
  file: string,
): (value: unknown) => Promise<object> {
  return async value => {
    const { serial, for: devices } = parsed(value, file);
    if (serial === undefined || typeof value !== 'object' || value === null) {
      throw new Failure(
        'manifest.field',
        `serial is missing: a signed manifest has a number that is higher than that of the one before it (in ${file}).`,
      );
    }
    const signed = await signManifest(value, await readKey(), file);
    if (devices === undefined) {
      printError(`${file} has no "for": every device that trusts the key accepts it.`);
    }
    return signed;
  };
}

/** Validates the manifest. Refuses missing hashes, because only `skerry pack` computes them. */
function parsed(value: unknown, file: string): Manifest {
  try {
    return parseManifest(JSON.stringify(value), file);
  } catch (thrown) {
    if (!(thrown instanceof Failure) || !/\.sha256 is missing/.test(thrown.message)) throw thrown;
    throw new Failure(thrown.code, `${thrown.message} "skerry pack --key" fills it in, and signs then.`);
  }
}
