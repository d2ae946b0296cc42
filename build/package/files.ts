import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SCRIPTS } from '../../src/cli/reference/formats/completions.ts';
import { manPage } from '../../src/cli/reference/formats/man-page.ts';

/** File of a package: its path without a leading slash, its permissions, and its content. */
export type PackagedFile = { readonly path: string; readonly mode: number; readonly content: Buffer };

const root = join(import.meta.dirname, '../..');

function plain(path: string, content: Buffer | string): PackagedFile {
  return { path, mode: 0o644, content: Buffer.from(content) };
}

function read(path: string): Buffer {
  return readFileSync(join(root, path));
}

/** Compresses without a file name and a time, so that equal input gives equal bytes. */
function gzip(content: string | Buffer): Buffer {
  return gzipSync(content, { level: 9 });
}

/** Completion scripts by shell, with their paths in the Debian package and in the archive. */
const COMPLETIONS = [
  { shell: 'bash', debian: 'usr/share/bash-completion/completions/skerry', archive: 'skerry.bash' },
  { shell: 'zsh', debian: 'usr/share/zsh/vendor-completions/_skerry', archive: 'skerry.zsh' },
  { shell: 'fish', debian: 'usr/share/fish/vendor_completions.d/skerry.fish', archive: 'skerry.fish' },
];

function completionOf(shell: string): Buffer {
  const script = SCRIPTS[shell];
  if (script === undefined) throw new Error(`There is no completion script for ${shell}.`);
  return Buffer.from(script());
}

/** Files of the Debian package. `binary` and `licences` are paths of built files. */
export function debianFiles(binary: string, licences: string, changelog: string): PackagedFile[] {
  const documentation = 'usr/share/doc/skerry';
  return [
    { path: 'usr/bin/skerry', mode: 0o755, content: readFileSync(binary) },
    plain('usr/lib/systemd/system/skerry.service', read('packaging/skerry.service')),
    plain('usr/lib/systemd/system/skerry-provision.service', read('packaging/skerry-provision.service')),
    plain('usr/lib/sysusers.d/skerry.conf', read('packaging/skerry.sysusers')),
    plain('etc/default/skerry', read('packaging/skerry.default')),
    plain('usr/share/man/man1/skerry.1.gz', gzip(manPage())),
    ...COMPLETIONS.map(({ shell, debian }) => plain(debian, completionOf(shell))),
    plain('usr/share/lintian/overrides/skerry', read('packaging/debian/lintian-overrides')),
    plain(`${documentation}/copyright`, copyright()),
    plain(`${documentation}/changelog.gz`, gzip(changelog)),
    plain(`${documentation}/THIRD-PARTY-LICENSES.gz`, gzip(readFileSync(licences))),
    plain(`${documentation}/examples/user.conf`, read('packaging/user.conf')),
    plain(`${documentation}/examples/journald.conf`, read('packaging/journald.conf')),
    plain(`${documentation}/examples/user-data.yaml`, read('packaging/examples/user-data.yaml')),
    plain(
      `${documentation}/examples/rpi-image-gen/skerry.yaml`,
      read('packaging/examples/rpi-image-gen/skerry.yaml'),
    ),
  ];
}

/** Files of the archive for systems without Debian packages. */
export function archiveFiles(binary: string, licences: string, architecture: string): PackagedFile[] {
  return [
    { path: 'skerry', mode: 0o755, content: readFileSync(binary) },
    { path: 'install.sh', mode: 0o755, content: read('packaging/install.sh') },
    plain('architecture', `${architecture}\n`),
    ...['skerry.service', 'skerry-provision.service', 'skerry.default', 'user.conf', 'journald.conf'].map(
      name => plain(name, read(`packaging/${name}`)),
    ),
    plain('skerry.1.gz', gzip(manPage())),
    ...COMPLETIONS.map(({ shell, archive }) => plain(`completions/${archive}`, completionOf(shell))),
    plain('LICENSE', read('LICENSE')),
    plain('THIRD-PARTY-LICENSES', readFileSync(licences)),
  ];
}

/** Debian's machine-readable copyright file (format 1.0). */
function copyright(): string {
  const paragraphs = read('LICENSE').toString().trim().split('\n').slice(4);
  const text = paragraphs.map(line => (line === '' ? ' .' : ` ${line}`)).join('\n');
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Skerry

Files: *
Copyright: 2026 The Skerry authors
License: Expat
${text}

Files: usr/bin/skerry
Copyright: 2026 The Skerry authors and the authors in THIRD-PARTY-LICENSES
License: Expat and others
 The binary holds the Node.js runtime and libraries of others. Their licences are in
 /usr/share/doc/skerry/THIRD-PARTY-LICENSES.gz.
`;
}
