import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { PackageSettings } from './tree.ts';
import { writeTree } from './tree.ts';

/** Archive to make, with the folder that contains its files. */
export type ArchiveSettings = PackageSettings & { readonly folder: string };

/** Makes a tar.gz whose bytes depend only on `files`, `folder` and `seconds`. */
export function makeArchive({ files, folder, seconds, work, output }: ArchiveSettings): void {
  writeTree(join(work, folder), files, seconds);
  const order = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mode=u+rwX,go+rX,go-w'];
  const tar = join(work, 'archive.tar');
  execFileSync('tar', ['--format=gnu', `--mtime=@${seconds}`, ...order, '-C', work, '-cf', tar, folder]);
  writeFileSync(output, gzipSync(readFileSync(tar), { level: 9 }));
}
