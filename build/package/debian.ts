import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PackagedFile } from './files.ts';
import type { PackageSettings } from './tree.ts';
import { writeTree } from './tree.ts';

const root = join(import.meta.dirname, '../..');

/** Scripts that dpkg runs. */
const SCRIPTS = ['postinst', 'prerm', 'postrm'];

/** Debian's names of the architectures. */
export const DEBIAN_ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' } as const;

export type DebianSettings = PackageSettings & {
  readonly version: string;
  /** Debian's name of the architecture. */
  readonly architecture: string;
};

/** Makes a Debian package. Compressed with xz, because the dpkg of Debian 11 reads no zstd. */
export function makeDebianPackage(settings: DebianSettings): void {
  const { files, seconds, work, output } = settings;
  writeTree(work, [...files, ...controlFiles(settings)], seconds);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', work, output], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(seconds) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function controlFiles(settings: DebianSettings): PackagedFile[] {
  const { files } = settings;
  const text = (name: string, content: string): PackagedFile => ({
    path: `DEBIAN/${name}`,
    mode: 0o644,
    content: Buffer.from(content),
  });
  const scripts = SCRIPTS.map(name => ({
    path: `DEBIAN/${name}`,
    mode: 0o755,
    content: readFileSync(join(root, 'packaging/debian', name)),
  }));
  const configuration = files.filter(({ path }) => path.startsWith('etc/')).map(({ path }) => `/${path}\n`);
  return [
    text('control', control(settings)),
    text('conffiles', configuration.join('')),
    text('md5sums', files.map(checksumLine).join('')),
    ...scripts,
  ];
}

/**
 * Returns the line with the MD5 of a file, which `dpkg --verify` checks. Empty for a configuration file,
 * because the user is allowed to change it.
 */
function checksumLine({ path, content }: PackagedFile): string {
  if (path.startsWith('etc/')) return '';
  return `${createHash('md5').update(content).digest('hex')}  ${path}\n`;
}

function control({ files, version, architecture }: DebianSettings): string {
  const bytes = files.reduce((sum, { content }) => sum + content.length, 0);
  return `Package: skerry
Version: ${version}
Section: net
Priority: optional
Architecture: ${architecture}
Maintainer: The Skerry authors <maintainers@skerry.dev>
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: libc6 (>= 2.34), libgcc-s1, libstdc++6 (>= 12), init-system-helpers (>= 1.52)
Recommends: bubblewrap, ca-certificates
Description: edge hub for small machines in one binary
 Skerry runs the modules of a device as native processes, is their MQTT
 broker, routes their messages, stores on flash what cannot be delivered yet,
 and forwards it when the network is back. Deployments are signed manifests
 that are health-checked and rolled back automatically.
`;
}
