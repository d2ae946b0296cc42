import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { writeDurably } from '../core/files/durable.ts';

/** Pattern of a device name. The name is valid in a topic, in a file name and in a route. */
export const DEVICE_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Returns true if a device name matches one of `patterns`, in which one `*` matches any characters. */
export function isForDevice(patterns: readonly string[], device: string): boolean {
  return patterns.some(pattern => {
    const [start = '', end] = pattern.split('*');
    if (end === undefined) return device === pattern;
    return device.length >= start.length + end.length && device.startsWith(start) && device.endsWith(end);
  });
}

/** File of the data folder with the stored name. */
const FILE = 'device-name';

/**
 * Reads the device name that `skerry provision` stored in the data folder. Undefined if none was stored.
 * Throws Failure `data.unreadable` if the file is damaged, because without its name a device would accept the
 * manifests of other devices.
 */
export function storedDeviceName(dataFolder: string): string | undefined {
  const file = join(dataFolder, FILE);
  let name: string;
  try {
    name = readFileSync(file, 'utf8').trim();
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    throw new Failure('data.unreadable', `${file} cannot be read: ${reasonOf(thrown)}.`);
  }
  if (DEVICE_NAME.test(name)) return name;
  throw new Failure('data.unreadable', `${file} holds no device name: write the name of this device there.`);
}

/** Stores the device name durably. Throws Failure `data.unwritable`. */
export function storeDeviceName(dataFolder: string, name: string): void {
  const file = join(dataFolder, FILE);
  try {
    writeDurably(file, `${name}\n`);
  } catch (thrown) {
    throw new Failure(
      'data.unwritable',
      `${file} cannot be written (${reasonOf(thrown)}): free space, or correct the permissions.`,
    );
  }
}
