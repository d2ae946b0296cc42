import { randomUUID } from 'node:crypto';
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { FailureCode } from '../../core/errors.ts';
import { Failure, reasonOf } from '../../core/errors.ts';

/**
 * Throws Failure `file.exists` if the file exists and `force` is not set. Called before the work starts, so
 * that the user does not wait for the error.
 */
export function refuseOverwrite(file: string, force: boolean | undefined): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || (force === true && stats.isFile())) return;
  if (!stats.isFile()) throw new Failure('file.exists', `${file} is not a regular file: name another.`);
  throw new Failure('file.exists', `${file} already exists: name another file, or replace it with --force.`);
}

/**
 * Writes a file atomically: writes a temporary file with the given mode and renames it. Throws a Failure with
 * `code` if the file cannot be written.
 */
export function writeOutput(file: string, text: string, mode: number, code: FailureCode): void {
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { flag: 'wx', mode });
    renameSync(draft, file);
  } catch (thrown) {
    throw new Failure(code, `${file} cannot be written: ${reasonOf(thrown)}.`);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** True if two paths refer to the same file. */
export function isSameFile(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}
