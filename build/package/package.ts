import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../src/core/version.ts';
import { makeArchive } from './archive.ts';
import { makeDebianPackage } from './debian.ts';
import { archiveFiles, debianFiles } from './files.ts';

/*
 * npm run package [-- x64|arm64...]
 *
 * Builds the binary of each named architecture, or of this machine if none is named. Makes in dist/ the
 * Debian package, the archive for other systems, and SHA256SUMS of all files of a release. If sources, binary
 * and SOURCE_DATE_EPOCH (default: the time of the last commit) are equal, the packages are equal, too.
 */
const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');

/** Debian's names of the architectures. */
const DEBIAN: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Returns the modification time of all files of a package, in seconds since 1970. */
function sourceTime(): number {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined) {
    if (!/^\d+$/.test(given)) throw new Error('SOURCE_DATE_EPOCH must be seconds since 1970.');
    return Number(given);
  }
  return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }));
}

function changelog(seconds: number): string {
  const date = new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');
  return `skerry (${VERSION}) stable; urgency=medium\n\n  * The changes are in CHANGELOG.md of the sources.\n\n -- The Skerry authors <maintainers@skerry.dev>  ${date}\n`;
}

/** Makes the packages of one architecture. Returns their file names. */
function packageFor(arch: string, seconds: number): string[] {
  const debian = DEBIAN[arch];
  if (debian === undefined) throw new Error(`There is no package for "${arch}": name x64 or arm64.`);
  const build = [join(root, 'build.mjs'), '--arch', arch];
  execFileSync(process.execPath, build, { cwd: root, stdio: 'inherit' });
  const binary = join(dist, `skerry-linux-${arch}`);
  const licences = join(dist, 'THIRD-PARTY-LICENSES');
  const names = { deb: `skerry_${VERSION}_${debian}.deb`, archive: `skerry-${VERSION}-linux-${arch}.tar.gz` };
  mkdirSync(dist, { recursive: true });
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

const architectures = process.argv.length > 2 ? process.argv.slice(2) : [process.arch];
try {
  const seconds = sourceTime();
  const names = architectures.flatMap(arch => packageFor(arch, seconds));
  writeFileSync(join(dist, 'SHA256SUMS'), names.map(checksumOf).join(''));
  for (const name of [...names, 'SHA256SUMS']) process.stdout.write(`dist/${name}\n`);
} catch (thrown) {
  process.stderr.write(`package: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}
