import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PackagedFile } from './files.ts';

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
