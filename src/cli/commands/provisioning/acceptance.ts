import { Failure } from '../../../core/errors.ts';
import { trustedKeys } from '../../../crypto/key-files/trusted-keys.ts';
import {
  readManifestOrPack,
  refuseOtherDevice,
  verifySignature,
} from '../../../deployment/manifest-intake.ts';
import { storedDeviceName } from '../../../manifest/devices.ts';
import { parseManifest } from '../../../manifest/read.ts';
import type { Inputs } from './inputs.ts';

/**
 * Verifies that the hub will accept the prepared manifest with the prepared keys and name. Called before
 * anything is stored, so that a wrong key or name can be replaced on the card. Throws Failure `manifest.*`,
 * `pack.*`, `signature.*` or `provision.input`.
 */
export async function refuseUnacceptable(
  dataFolder: string,
  { keys, deviceName, manifest: file }: Inputs,
): Promise<void> {
  if (file === undefined) return;
  const { text } = await readManifestOrPack(file);
  const manifest = parseManifest(text, file);
  const isVerified = await verifySignature(text, manifest.name, [...trustedKeys(dataFolder), ...keys]);
  if (!isVerified && manifest.signature !== undefined)
    throw new Failure(
      'provision.input',
      `${file} is signed, but the device trusts no key: add the public key in the folder "trusted".`,
    );
  const name = deviceName ?? storedDeviceName(dataFolder);
  if (name !== undefined) refuseOtherDevice(manifest, name);
}
