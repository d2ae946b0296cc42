import { join } from 'node:path';
import { Failure, isDiskFull, reasonOf } from '../../../core/errors.ts';
import { writeDurably } from '../../../core/files/durable.ts';
import { VERSION } from '../../../core/version.ts';

/** Label and text of each line of a status file. */
export type StatusLines = readonly (readonly [label: string, text: string])[];

/** Writes a file to the folder durably. Throws Failure `provision.write`. */
export function writeToFolder(folder: string, name: string, text: string): void {
  try {
    writeDurably(join(folder, name), text);
  } catch (thrown) {
    const cure = isDiskFull(thrown) ? 'free space there' : 'mount the folder writable';
    throw new Failure(
      'provision.write',
      `${join(folder, name)} cannot be written (${reasonOf(thrown)}): ${cure}.`,
    );
  }
}

/**
 * Replaces the file that tells a person who has only the card what the device did with the prepared files.
 * Throws Failure `provision.write`.
 */
export function writeStatus(folder: string, lines: StatusLines, result: string): void {
  const all: StatusLines = [
    ['skerry', VERSION],
    ['time', `${new Date().toISOString()} by the clock of the device`],
    ...lines,
    ['result', result],
  ];
  writeToFolder(folder, 'status.txt', all.map(([label, text]) => `${label}: ${text}\n`).join(''));
}
