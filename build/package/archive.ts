import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PackagedFile } from './files.ts';
import { writeTree } from './tree.ts';

/** Archive to make: its files, the folder that they are in, and the time of each in seconds since 1970. */
export type ArchiveSettings = {
  readonly files: readonly PackagedFile[];
  readonly folder: string;
  readonly seconds: number;
  readonly work: string;
  readonly output: string;
};

/** Makes a tar.gz whose bytes depend on the files, the folder and the time only. */
export function makeArchive({ files, folder, seconds, work, output }: ArchiveSettings): void {
  writeTree(join(work, folder), files, seconds);
  const order = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mode=u+rwX,go+rX,go-w'];
  const tar = join(work, 'archive.tar');
  execFileSync('tar', ['--format=gnu', `--mtime=@${seconds}`, ...order, '-C', work, '-cf', tar, folder]);
  writeFileSync(output, gzipSync(readFileSync(tar), { level: 9 }));
}
