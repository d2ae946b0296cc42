import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';

/** Converts a system error of a write to `path` into a Failure. Returns any other error unchanged. */
export function diskFailure(thrown: unknown, subject: string, path: string): unknown {
  const code = thrown instanceof Failure ? undefined : systemCode(thrown);
  if (code === undefined) return thrown;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Failure(
      'bundle.space',
      `${subject} does not fit on the disk of ${dirname(path)} (${code}): free disk space.`,
    );
  }
  return new Failure('bundle.write', `${subject} cannot be written to ${path}: ${reasonOf(thrown)}.`);
}

/** Flushes a file or folder with fsync. Does not follow symbolic links. */
export async function fsyncPath(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
