import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf, systemCode } from '../../../core/errors.ts';
import { readTrustedKey } from '../../../crypto/key-files/trusted-keys.ts';
import type { TrustedKey } from '../../../crypto/signatures.ts';
import { DEVICE_NAME } from '../../../manifest/devices.ts';
import { serialNumber } from './serial-number.ts';

/** Folder of the public keys that the device must trust. */
const KEYS = 'trusted';

/** File with the name of the device. */
const NAME = 'name.txt';

/** Content of NAME that stands for the serial number of the board. */
const SERIAL = 'serial';

const PACK_SUFFIX = '.skerry';
const MANIFEST = 'manifest.json';

/** Maximum bytes of NAME. */
const MAX_NAME_BYTES = 256;

/** Files that were prepared for a device. All paths are absolute. */
export type Inputs = {
  readonly keys: readonly TrustedKey[];
  readonly deviceName: string | undefined;
  /** Manifest or pack. */
  readonly manifest: string | undefined;
  /** All files, including the file with the device name. */
  readonly files: readonly string[];
};

/**
 * Reads and validates the files that were prepared in `folder`. Throws Failure `provision.input` or `key.*`.
 */
export function readInputs(folder: string): Inputs {
  const names = namesIn(folder);
  const keyFiles = (names.includes(KEYS) ? namesIn(join(folder, KEYS)) : [])
    .filter(name => name.endsWith('.pub'))
    .map(name => join(folder, KEYS, name));
  const manifests = names.filter(name => name.endsWith(PACK_SUFFIX) || name === MANIFEST);
  if (manifests.length > 1)
    throw wrong(`${folder} holds ${manifests.join(' and ')}: keep the manifest or pack of this device only`);
  const manifest = manifests.map(name => join(folder, name))[0];
  const nameFile = names.includes(NAME) ? join(folder, NAME) : undefined;
  return {
    keys: keyFiles.map(readTrustedKey),
    deviceName: nameFile === undefined ? undefined : deviceNameIn(nameFile),
    manifest,
    files: [...keyFiles, ...[nameFile, manifest].filter(file => file !== undefined)],
  };
}

/** Returns the names in a folder without hidden files, such as `._factory.pub`, which macOS adds on FAT. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(name => !name.startsWith('.'))
      .sort();
  } catch (thrown) {
    const reason = systemCode(thrown) === 'ENOENT' ? 'no such folder (ENOENT)' : reasonOf(thrown);
    throw wrong(`The folder ${folder} cannot be read: ${reason}`);
  }
}

function deviceNameIn(file: string): string {
  const text = textOf(file);
  if (text !== SERIAL) {
    if (DEVICE_NAME.test(text)) return text;
    throw wrong(`${file} must hold 1 to 64 letters, digits, "_" or "-", or the word "${SERIAL}"`);
  }
  const serial = serialNumber();
  if (serial !== undefined) return serial;
  throw wrong(`This machine has no serial number: write the name of the device into ${file}`);
}

/** Returns the text of a small file without byte order mark and without white space around it. */
function textOf(file: string): string {
  try {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!fstatSync(descriptor).isFile()) throw new Error('not a regular file');
      const bytes = Buffer.alloc(MAX_NAME_BYTES);
      const text = bytes.toString('utf8', 0, readSync(descriptor, bytes));
      return text.replace(/^\uFEFF/, '').trim();
    } finally {
      closeSync(descriptor);
    }
  } catch (thrown) {
    throw wrong(`${file} cannot be read: ${reasonOf(thrown)}`);
  }
}

function wrong(complaint: string): Failure {
  return new Failure('provision.input', `${complaint}.`);
}
