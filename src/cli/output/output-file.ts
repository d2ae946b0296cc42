import { randomUUID } from 'node:crypto';
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { FailureCode } from '../../core/errors.ts';
import { Failure, reasonOf } from '../../core/errors.ts';

/**
 * Refuses to replace a file unless `force` is set. Called before the work, so that a refusal costs none.
 * @throws Failure `file.exists`
 */
export function refuseOverwrite(file: string, force: boolean | undefined): void {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || (force === true && stats.isFile())) return;
  if (!stats.isFile()) throw new Failure('file.exists', `${file} is not a regular file: name another.`);
  throw new Failure('file.exists', `${file} already exists: name another file, or replace it with --force.`);
}

/**
 * Writes a file of exactly this mode beside its place and renames it, so that there is a whole file or the one before.
 * Throws a Failure with `code`.
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

/** Whether two paths lead to the same file. */
export function isSameFile(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}
