import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PackagedFile } from './files.ts';

/**
 * Settings of a package: its files, their modification time in seconds since 1970, a work folder, and the
 * path of the package.
 */
export type PackageSettings = {
  readonly files: readonly PackagedFile[];
  readonly seconds: number;
  readonly work: string;
  readonly output: string;
};

/**
 * Writes files below `folder` with their permissions, and sets their modification times to `seconds` since
 * 1970.
 */
export function writeTree(folder: string, files: readonly PackagedFile[], seconds: number): void {
  for (const { path, mode, content } of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    writeFileSync(target, content);
    chmodSync(target, mode);
    utimesSync(target, seconds, seconds);
  }
}
