import { Failure } from '../../../core/errors.ts';
import { readKeyPair } from '../../../crypto/key-files/key-file.ts';
import { signManifest } from '../../../crypto/signatures.ts';
import { parseManifest } from '../../../manifest/read.ts';
import type { Manifest } from '../../../manifest/types.ts';
import { printError } from '../../system.ts';

/**
 * Returns a function that signs a manifest with a secret key. Refuses a manifest that a device would refuse.
 */
export function signerWith(keyFile: string, file: string): (value: unknown) => Promise<object> {
  return async value => {
    const { serial, for: devices } = parsed(value, file);
    if (serial === undefined || typeof value !== 'object' || value === null) {
      throw new Failure(
        'manifest.field',
        `serial is missing: a signed manifest has a number that is higher than that of the one before it (in ${file}).`,
      );
    }
    const signed = await signManifest(value, await readKeyPair(keyFile, 'ed25519'), file);
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
