import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, reasonOf } from '../../../core/errors.ts';
import { flushFolder } from '../../../core/files/durable.ts';
import { MAX_MANIFEST_BYTES } from '../../../core/limits.ts';

/**
 * Maximum bytes that are overwritten at the start of a file. A manifest can hold secrets. In a pack the
 * manifest is the first entry, and the other entries are programs.
 */
const MAX_OVERWRITTEN_BYTES = 2 * MAX_MANIFEST_BYTES;

const ZEROS = Buffer.alloc(1 << 16);

/** Start of the names of files that must be erased. */
const MARK = '.erase-';

/**
 * Overwrites files with zeros and removes them durably. Before, all files are renamed, so that a power cut
 * never leaves a file with its own name and the content of zeros. The controller of a card can keep copies of
 * old blocks, so only a sealed secret is safe from a person who has the card. Throws Failure
 * `provision.write`.
 */
export function erase(folder: string, files: readonly string[]): void {
  try {
    for (const [index, file] of files.entries()) renameSync(file, join(folder, `${MARK}${index}`));
    for (const changed of new Set([folder, ...files.map(file => dirname(file))])) flushFolder(changed);
    eraseMarked(folder);
  } catch (thrown) {
    throw new Failure(
      'provision.write',
      `The device is provisioned, but its files in ${folder} cannot be erased: ${reasonOf(thrown)}. Erase them by hand.`,
    );
  }
}

/** Erases the files that an earlier call of `erase` has renamed before a power cut. */
export function eraseMarked(folder: string): void {
  const marked = readdirSync(folder).filter(name => name.startsWith(MARK));
  for (const name of marked) {
    overwrite(join(folder, name));
    rmSync(join(folder, name));
  }
  if (marked.length > 0) flushFolder(folder);
}

function overwrite(file: string): void {
  const descriptor = openSync(file, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    const size = Math.min(fstatSync(descriptor).size, MAX_OVERWRITTEN_BYTES);
    for (let position = 0; position < size; )
      position += writeSync(descriptor, ZEROS, 0, Math.min(ZEROS.length, size - position), position);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
