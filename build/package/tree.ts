import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PackagedFile } from './files.ts';

/**
 * Files to package, the seconds since 1970 that each gets as its time, a work folder, and the package's path.
 */
export type PackageSettings = {
  readonly files: readonly PackagedFile[];
  readonly seconds: number;
  readonly work: string;
  readonly output: string;
};

/** Writes files below `folder` with their permissions, and sets the time of each to `seconds` since 1970. */
export function writeTree(folder: string, files: readonly PackagedFile[], seconds: number): void {
  for (const { path, mode, content } of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, content);
    chmodSync(target, mode);
    utimesSync(target, seconds, seconds);
  }
}
