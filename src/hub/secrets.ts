import type { Random } from '../core/random.ts';
import type { KeyPair } from '../crypto/keys.ts';
import type { SpecHost } from './module-spec.ts';

export type SecretOpenerSettings = { readonly dataFolder: string; readonly random: Random };

/** Opens what was sealed for this device; its key is read when the first secret comes. */
export function secretOpener({ dataFolder, random }: SecretOpenerSettings): SpecHost['openSecret'] {
  let key: Promise<KeyPair> | undefined;
  return async (sealed, field) => {
    const { openSealed } = await import('../crypto/sealing.ts');
    const { openDeviceKey } = await import('../crypto/key-files/device-key.ts');
    key ??= openDeviceKey(dataFolder, random).catch((thrown: unknown) => {
      // It is read again with the next secret: somebody may have put it right.
      key = undefined;
      throw thrown;
    });
    return openSealed(sealed, await key, field);
  };
}
