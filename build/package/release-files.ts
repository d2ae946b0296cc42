import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../src/core/version.ts';
import { makeArchive } from './archive.ts';
import { DEBIAN_ARCHITECTURES, makeDebianPackage } from './debian.ts';
import { archiveFiles, debianFiles } from './files.ts';

const root = join(import.meta.dirname, '../..');

/** Folder of all files of a release. */
export const dist: string = join(root, 'dist');

function changelog(seconds: number): string {
  const date = new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');
  return `skerry (${VERSION}) stable; urgency=medium\n\n  * The changes are in CHANGELOG.md of the sources.\n\n -- The Skerry authors <maintainers@skerry.dev>  ${date}\n`;
}

/** Makes the packages of one architecture. Returns their file names. */
function packageFor(arch: string, seconds: number): string[] {
  if (arch !== 'x64' && arch !== 'arm64')
    throw new Error(`There is no package for "${arch}": name x64 or arm64.`);
  const debian = DEBIAN_ARCHITECTURES[arch];
  const build = [join(root, 'build.mjs'), '--arch', arch];
  execFileSync(process.execPath, build, { cwd: root, stdio: 'inherit' });
  const binary = join(dist, `skerry-linux-${arch}`);
  const licences = join(dist, 'THIRD-PARTY-LICENSES');
  const names = { deb: `skerry_${VERSION}_${debian}.deb`, archive: `skerry-${VERSION}-linux-${arch}.tar.gz` };
  const work = mkdtempSync(join(dist, '.package-'));
  try {
    makeDebianPackage({
      files: debianFiles(binary, licences, changelog(seconds)),
      version: VERSION,
      architecture: debian,
      seconds,
      work: join(work, 'deb'),
      output: join(dist, names.deb),
    });
    makeArchive({
      files: archiveFiles(binary, licences, arch),
      folder: `skerry-${VERSION}`,
      seconds,
      work: join(work, 'archive'),
      output: join(dist, names.archive),
    });
  } finally {
    rmSync(work, { recursive: true });
  }
  const bare = `skerry-linux-${arch}`;
  const others = [bare, `${bare}.cdx.json`, `${bare}.cache`].filter(name => existsSync(join(dist, name)));
  return [...Object.values(names), ...others];
}

function checksumOf(name: string): string {
  const hash = createHash('sha256')
    .update(readFileSync(join(dist, name)))
    .digest('hex');
  return `${hash}  ${name}\n`;
}

/**
 * Builds the binary of each architecture and makes its packages and SHA256SUMS in dist/. Equal sources and
 * equal `seconds` give equal packages of an equal binary. Returns the names of the files.
 */
export function makeReleaseFiles(architectures: readonly string[], seconds: number): string[] {
  const names = architectures.flatMap(arch => packageFor(arch, seconds));
  writeFileSync(join(dist, 'SHA256SUMS'), names.map(checksumOf).join(''));
  return [...names, 'SHA256SUMS'];
}
