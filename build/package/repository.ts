import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DEBIAN_ARCHITECTURES } from './debian.ts';

const ARCHITECTURES = Object.values(DEBIAN_ARCHITECTURES);

const SUITE = 'stable';
const COMPONENT = 'main';

/** Source for /etc/apt/sources.list.d. The administrator of a device fills in the address. */
const SOURCE = `Types: deb
URIs: https://example.com/apt
Suites: ${SUITE}
Components: ${COMPONENT}
Signed-By: /etc/apt/keyrings/skerry.asc
`;

/** Repository to make from the Debian packages in `packages`. Its signature needs `key`, a GPG key. */
export type RepositorySettings = {
  readonly packages: string;
  readonly output: string;
  readonly key: string | undefined;
  /** Seconds since 1970 that the repository names as its time. */
  readonly seconds: number;
};

/**
 * Makes a static apt repository, which any web server or folder can offer. Returns the names of its packages.
 * Without a key the repository has no signature and no sources file, because apt refuses it.
 */
export function makeRepository({ packages, output, key, seconds }: RepositorySettings): string[] {
  const names = readdirSync(packages).filter(name => name.endsWith('.deb'));
  if (names.length === 0)
    throw new Error(`${packages} holds no Debian package: run "npm run package" first.`);
  rmSync(output, { recursive: true, force: true });
  const pool = join(output, 'pool');
  mkdirSync(pool, { recursive: true });
  for (const name of names) copyFileSync(join(packages, name), join(pool, name));
  const suite = join(output, 'dists', SUITE);
  for (const architecture of ARCHITECTURES) writeIndex(output, suite, architecture);
  const release = archive(output, ['release', ...releaseOptions(), `dists/${SUITE}`]);
  writeFileSync(join(suite, 'Release'), withTime(release, seconds));
  if (key !== undefined) {
    sign(suite, key);
    writeFileSync(join(output, 'skerry.sources'), SOURCE);
  }
  return names;
}

function writeIndex(output: string, suite: string, architecture: string): void {
  const folder = join(suite, COMPONENT, `binary-${architecture}`);
  mkdirSync(folder, { recursive: true });
  const index = archive(output, ['--arch', architecture, 'packages', 'pool']);
  writeFileSync(join(folder, 'Packages'), index);
  writeFileSync(join(folder, 'Packages.gz'), gzipSync(index, { level: 9 }));
}

function releaseOptions(): string[] {
  const fields = {
    Origin: 'Skerry',
    Label: 'Skerry',
    Suite: SUITE,
    Codename: SUITE,
    Architectures: ARCHITECTURES.join(' '),
    Components: COMPONENT,
  };
  return Object.entries(fields).flatMap(([name, value]) => [
    '-o',
    `APT::FTPArchive::Release::${name}=${value}`,
  ]);
}

/** apt-ftparchive writes the present time. Equal packages must give an equal repository. */
function withTime(release: string, seconds: number): string {
  return release.replace(/^Date: .*$/m, `Date: ${new Date(seconds * 1000).toUTCString()}`);
}

function archive(folder: string, args: readonly string[]): string {
  return execFileSync('apt-ftparchive', args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
}

function sign(suite: string, key: string): void {
  const gpg = (...args: readonly string[]): Buffer =>
    execFileSync('gpg', ['--batch', '--yes', '--local-user', key, ...args, join(suite, 'Release')]);
  gpg('--clearsign', '--output', join(suite, 'InRelease'));
  gpg('--armor', '--detach-sign', '--output', join(suite, 'Release.gpg'));
  const publicKey = execFileSync('gpg', ['--batch', '--armor', '--export', key]);
  writeFileSync(join(suite, '../../skerry.asc'), publicKey);
}
