import type { Random } from '../core/random.ts';
import type { KeyPair } from '../crypto/keys.ts';
import type { SpecHost } from './modules/module-spec.ts';

export type SecretOpenerSettings = { readonly dataFolder: string; readonly random: Random };

/**
 * Creates a function that decrypts secrets that were encrypted for this device. The device's key is read when
 * the first secret is decrypted.
 */
export function secretOpener({ dataFolder, random }: SecretOpenerSettings): SpecHost['openSecret'] {
  let key: Promise<KeyPair> | undefined;
  return async (sealed, field) => {
    const { openSealed } = await import('../crypto/sealing.ts');
    const { openDeviceKey } = await import('../crypto/key-files/device-key.ts');
    key ??= openDeviceKey(dataFolder, random).catch((thrown: unknown) => {
      // Reads the key again for the next secret, because the user may have repaired the key file by then.
      key = undefined;
      throw thrown;
    });
    return openSealed(sealed, await key, field);
  };
}
