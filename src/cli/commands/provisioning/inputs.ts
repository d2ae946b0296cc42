import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../../core/errors.ts';
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

/** Maximum bytes of NAME. */
const MAX_NAME_BYTES = 256;

/** Pattern of the names of a manifest and of a pack. FAT does not distinguish upper and lower case. */
const MANIFEST = /^manifest\.json$|\.skerry$/i;

/** Pattern of the names of public keys. */
const KEY = /\.pub$/i;

/** Pattern of the names of files that stay in the folder. */
const OTHERS = /^(device\.pub|status\.txt)$|\.deb$/i;

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
  const keyNames = names.includes(KEYS) ? namesIn(regular(join(folder, KEYS), 'folder')) : [];
  const manifests = names.filter(name => MANIFEST.test(name));
  const strange = [
    ...names.filter(name => ![KEYS, NAME, ...manifests].includes(name) && !OTHERS.test(name)),
    ...keyNames.filter(name => !KEY.test(name)).map(name => join(KEYS, name)),
  ];
  if (strange.length > 0)
    throw wrong(
      `${join(folder, strange[0] ?? '')} is not a file for "skerry provision": remove or rename it`,
    );
  if (manifests.length > 1)
    throw wrong(`${folder} holds ${manifests.join(' and ')}: keep the manifest or pack of this device only`);
  const keyFiles = keyNames.map(name => regular(join(folder, KEYS, name), 'file'));
  const [manifest] = manifests.map(name => regular(join(folder, name), 'file'));
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
    throw wrong(`The folder ${folder} cannot be read: ${reasonOf(thrown)}`);
  }
}

/** Refuses symbolic links, because root would read and erase the file to which the link leads. */
function regular(path: string, kind: 'file' | 'folder'): string {
  const stats = lstatSync(path);
  if (kind === 'file' ? stats.isFile() : stats.isDirectory()) return path;
  throw wrong(`${path} is not a regular ${kind}: replace it`);
}

function deviceNameIn(file: string): string {
  const text = textOf(file);
  if (text.toLowerCase() !== SERIAL) {
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
      const stats = fstatSync(descriptor);
      if (!stats.isFile() || stats.size > MAX_NAME_BYTES) throw new Error('not a short text file');
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
