import { closeSync, constants, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { grantsOf } from '../auth/grants.ts';
import type { Clock } from '../core/clock.ts';
import { Failure, systemCode } from '../core/errors.ts';
import { trustedKeys } from '../crypto/key-files/trusted-keys.ts';
import type { TrustedKey } from '../crypto/signatures.ts';
import { isForDevice, storedDeviceName } from '../manifest/devices.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import { parseJson, parseManifest, readManifestText } from '../manifest/read.ts';
import { choice } from '../manifest/schema/fields.ts';
import type { Manifest } from '../manifest/types.ts';
import type { Deployment, DeploymentRecord } from './deployment.ts';
import { deploymentId } from './deployment.ts';

/** Maximum number of device names that an error shows. */
const MAX_SHOWN_DEVICES = 5;

/** Valid manifest that is not applied yet, with its text. */
export type IncomingManifest = {
  readonly deployment: Deployment;
  readonly text: string;
  readonly placed: Placed;
};

/** Reading and verification of manifests before they are applied. */
export type ManifestIntake = {
  /**
   * Reads and validates the manifest or pack at an absolute path. Throws Failure `manifest.*` or `pack.*`.
   */
  readonly read: (file: string) => Promise<IncomingManifest>;
  /**
   * Checks the signature, the serial number and the field `for` (devices) of a manifest. Throws Failure
   * `signature.*`, `key.*` or `manifest.other-device`.
   */
  readonly verify: (
    admitted: IncomingManifest,
    before: Pick<DeploymentRecord, 'newest' | 'current' | 'healthy'>,
  ) => Promise<void>;
};

export type ManifestIntakeSettings = {
  readonly dataFolder: string;
  readonly clock: Pick<Clock, 'wall'>;
  /**
   * Device name from the command line. If undefined, the name that `skerry provision` stored is used, or else
   * the name in the current manifest.
   */
  readonly device: string | undefined;
};

export function createManifestIntake({ dataFolder, clock, device }: ManifestIntakeSettings): ManifestIntake {
  return {
    read: async file => {
      const { text, pack } = await readManifestOrPack(file);
      const home = pack === undefined ? dirname(file) : dataFolder;
      const manifest = parseManifest(text, file);
      grantsOf(manifest);
      const { name, serial } = manifest;
      const deployment = { id: deploymentId(text, home), home, pack, name, serial, taken: clock.wall() };
      return { deployment, text, placed: { manifest, home, pack } };
    },
    verify: async ({ deployment, text, placed }, { newest, current, healthy }) => {
      const { id, name, serial } = deployment;
      const isSigned = await verifySignature(text, name, trustedKeys(dataFolder));
      if (isSigned && serial === undefined)
        throw outdated('serial is missing: a signed manifest needs one that increases');
      refuseOtherDevice(
        placed.manifest,
        device ?? storedDeviceName(dataFolder) ?? (current ?? healthy)?.name ?? name,
      );
      if (serial === undefined || newest === undefined || serial > newest.serial || id === newest.id) return;
      throw outdated(`serial is ${serial}, but ${newest.serial} was applied already: use a higher one`);
    },
  };
}

/**
 * Verifies that one of `keys` signed the manifest. Returns false if there are no keys. A device without
 * trusted keys accepts manifests without a signature. Throws Failure `signature.*`.
 */
export async function verifySignature(
  text: string,
  name: string,
  keys: readonly TrustedKey[],
): Promise<boolean> {
  if (keys.length === 0) return false;
  const { verifyManifest } = await import('../crypto/signatures.ts');
  await verifyManifest(parseJson(text, name), keys, `the manifest of "${name}"`);
  return true;
}

/** Throws Failure `manifest.other-device` if the field `for` of the manifest excludes this device. */
export function refuseOtherDevice(manifest: Pick<Manifest, 'for'>, device: string): void {
  if (manifest.for === undefined || isForDevice(manifest.for, device)) return;
  const names = choice(manifest.for.slice(0, MAX_SHOWN_DEVICES));
  const more = manifest.for.length > MAX_SHOWN_DEVICES ? ', ...' : '';
  throw new Failure(
    'manifest.other-device',
    `The manifest is for ${names}${more}, but this device is "${device}": apply the manifest for this device.`,
  );
}

function outdated(complaint: string): Failure {
  return new Failure('signature.old', `${complaint}.`);
}

/** Reads the text of a manifest from a file or a pack. Throws Failure `manifest.*` or `pack.*`. */
export async function readManifestOrPack(file: string): Promise<{ text: string; pack: string | undefined }> {
  if (looksLikeJson(file)) return { text: readManifestText(file), pack: undefined };
  const { isPack, openPack } = await import('../bundles/pack/open-pack.ts');
  if (!(await isPack(file))) return { text: readManifestText(file), pack: undefined };
  const { manifest } = await openPack(file);
  return { text: manifest.toString('utf8'), pack: file };
}

/**
 * Returns true if the file begins with `{` or white space, is empty, or cannot be read. The caller then reads
 * the file as JSON, without loading the code that reads packs.
 */
function looksLikeJson(file: string): boolean {
  const first = Buffer.alloc(1);
  try {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readSync(descriptor, first) === 0 || /[\s{]/.test(first.toString('latin1'));
    } finally {
      closeSync(descriptor);
    }
  } catch (thrown) {
    if (systemCode(thrown) !== undefined) return true;
    throw thrown;
  }
}
