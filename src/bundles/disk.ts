import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';

/** What to throw when `path` could not be written; what is no error of the system is passed on. */
export function diskFailure(thrown: unknown, subject: string, path: string): unknown {
  const code = thrown instanceof Failure ? undefined : systemCode(thrown);
  if (code === undefined) return thrown;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Failure(
      'bundle.space',
      `${subject} does not fit on the disk of ${dirname(path)}: free some of it.`,
    );
  }
  return new Failure('bundle.write', `${subject} cannot be written to ${path}: ${reasonOf(thrown)}.`);
}

/** Puts a file, or the names in a folder, on the disk; follows no link. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
