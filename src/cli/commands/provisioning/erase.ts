import { closeSync, constants, fstatSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, reasonOf } from '../../../core/errors.ts';
import { flushFolder } from '../../../core/files/durable.ts';
import { MAX_MANIFEST_BYTES } from '../../../core/limits.ts';

/**
 * Maximum bytes that are overwritten at the start of a file. A manifest can hold secrets. In a pack the
 * manifest is the first entry, and the other entries are programs.
 */
const MAX_OVERWRITTEN_BYTES = 2 * MAX_MANIFEST_BYTES;

const ZEROS = Buffer.alloc(1 << 16);

/**
 * Overwrites files with zeros and removes them durably. The controller of a card can keep copies of old
 * blocks, so only a sealed secret is safe from a person who has the card. Throws Failure `provision.write`.
 */
export function erase(files: readonly string[]): void {
  for (const file of files) {
    try {
      overwrite(file);
      rmSync(file);
    } catch (thrown) {
      throw new Failure(
        'provision.write',
        `The device runs, but ${file} cannot be erased: ${reasonOf(thrown)}. Erase the file by hand.`,
      );
    }
  }
  for (const folder of new Set(files.map(file => dirname(file)))) flushFolder(folder);
}

function overwrite(file: string): void {
  const descriptor = openSync(file, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    const size = Math.min(fstatSync(descriptor).size, MAX_OVERWRITTEN_BYTES);
    for (let position = 0; position < size; position += ZEROS.length)
      writeSync(descriptor, ZEROS, 0, Math.min(ZEROS.length, size - position), position);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
