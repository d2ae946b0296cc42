import { closeSync, constants, openSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { grantsOf } from '../auth/grants.ts';
import type { Clock } from '../core/clock.ts';
import { Failure, systemCode } from '../core/errors.ts';
import { trustedKeys } from '../crypto/key-files/trusted.ts';
import { isForDevice } from '../manifest/devices.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import { parseJson, parseManifest, readManifestText } from '../manifest/read.ts';
import { choice } from '../manifest/schema/fields.ts';
import type { Deployment, Ledger } from './deployment.ts';
import { deploymentId } from './deployment.ts';

/** Names of devices in an error. */
const MAX_SHOWN_DEVICES = 5;

/** A manifest that may be run. */
export type Admitted = { readonly deployment: Deployment; readonly text: string; readonly placed: Placed };

/** Decides what may be run. */
export type Admission = {
  /** Reads and checks a manifest or a pack by its absolute path. Failures of `manifest` and `pack`, each one sentence. */
  readonly read: (file: string) => Promise<Admitted>;
  /**
   * Refuses what nobody vouches for, what is older than the newest, or what is for other devices. Failures of `signature`
   * and `key`, `manifest.other-device`.
   */
  readonly vouch: (
    admitted: Admitted,
    before: Pick<Ledger, 'newest' | 'current' | 'healthy'>,
  ) => Promise<void>;
};

export type AdmissionSettings = {
  readonly dataFolder: string;
  readonly clock: Pick<Clock, 'wall'>;
  /** Name of the device, if it was given one; otherwise that of the manifest it runs. */
  readonly device: string | undefined;
};

export function createAdmission({ dataFolder, clock, device }: AdmissionSettings): Admission {
  return {
    read: async file => {
      const { text, pack } = await contentOf(file);
      const home = pack === undefined ? dirname(file) : dataFolder;
      const manifest = parseManifest(text, file);
      grantsOf(manifest);
      const { name, serial } = manifest;
      const deployment = { id: deploymentId(text, home), home, pack, name, serial, taken: clock.wall() };
      return { deployment, text, placed: { manifest, home, pack } };
    },
    vouch: async ({ deployment, text, placed }, { newest, current, healthy }) => {
      const { id, name, serial } = deployment;
      const keys = trustedKeys(dataFolder);
      if (keys.length > 0) {
        const { verifyManifest } = await import('../crypto/signatures.ts');
        await verifyManifest(parseJson(text, name), keys, `the manifest of "${name}"`);
        if (serial === undefined) throw old('serial is missing: a signed manifest must have one, that rises');
      }
      refuseOtherDevice(placed, device ?? (current ?? healthy)?.name ?? name);
      if (serial === undefined || newest === undefined || serial > newest.serial || id === newest.id) return;
      throw old(`serial is ${serial}, and ${newest.serial} was taken already: give it a higher one`);
    },
  };
}

/** A manifest that is signed for one device is good on no other. */
function refuseOtherDevice({ manifest }: Placed, device: string): void {
  if (manifest.for === undefined || isForDevice(manifest.for, device)) return;
  const names = choice(manifest.for.slice(0, MAX_SHOWN_DEVICES));
  const more = manifest.for.length > MAX_SHOWN_DEVICES ? ', ...' : '';
  throw new Failure(
    'manifest.other-device',
    `The manifest is for ${names}${more}, and this device is "${device}": apply the one that was made for it.`,
  );
}

function old(complaint: string): Failure {
  return new Failure('signature.old', `${complaint}.`);
}

/** Reads the text of a manifest, from a file or from a pack. Failures of `manifest` and `pack`. */
export async function contentOf(file: string): Promise<{ text: string; pack: string | undefined }> {
  if (looksLikeJson(file)) return { text: readManifestText(file), pack: undefined };
  const { isPack, openPack } = await import('../bundles/open-pack.ts');
  if (!(await isPack(file))) return { text: readManifestText(file), pack: undefined };
  const { manifest } = await openPack(file);
  return { text: manifest.toString('utf8'), pack: file };
}

/** By its first byte: what reads packs is not loaded for a manifest, nor for a file that cannot be read. */
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
