import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';

/** What to say when `path` could not be written. */
export function diskFailure(thrown: unknown, subject: string, path: string): Failure {
  if (['ENOSPC', 'EDQUOT'].includes(systemCode(thrown) ?? '')) {
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
