import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Replaces a file atomically and durably. After a power failure the file has either the old or the new
 * content.
 */
export function writeDurably(file: string, text: string): void {
  const draft = `${file}.new`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    // The draft is created, so that a symbolic link in its place is never followed.
    rmSync(draft, { force: true });
    const descriptor = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file);
  } catch (thrown) {
    rmSync(draft, { force: true });
    throw thrown;
  }
  flushFolder(dirname(file));
}

export function removeDurably(file: string): void {
  rmSync(file, { force: true });
  flushFolder(dirname(file));
}

/** Flushes renames and removals in `folder` to disk with fsync. */
export function flushFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
