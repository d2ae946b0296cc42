import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeArchive } from '../../build/package/archive.ts';
import { makeDebianPackage } from '../../build/package/debian.ts';
import { archiveFiles, debianFiles } from '../../build/package/files.ts';
import { VERSION } from '../../src/core/version.ts';

type Context = { folder: string; binary: string; licences: string };

const packages = suite<Context>('build: packages');

/** Seconds since 1970 of every packaged file. */
const TIME = 1_700_000_000;

/** Stands in for the binary, because the compression of 110 MB takes minutes. */
const STUB = '#!/bin/sh\necho stub\n';

packages.before(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'skerry-package-'));
  context.binary = join(context.folder, 'skerry');
  context.licences = join(context.folder, 'LICENCES');
  writeFileSync(context.binary, STUB, { mode: 0o755 });
  writeFileSync(context.licences, 'licences\n');
});

packages.after(({ folder }) => rmSync(folder, { recursive: true }));

function debianPackage({ folder, binary, licences }: Context, name: string): string {
  const output = join(folder, `${name}.deb`);
  makeDebianPackage({
    files: debianFiles(binary, licences, 'skerry (0.1.0) stable; urgency=medium\n'),
    version: VERSION,
    architecture: 'amd64',
    seconds: TIME,
    work: join(folder, name),
    output,
  });
  return output;
}

/** Makes the archive for this machine and unpacks it. Returns the folder with `install.sh`. */
function unpackedArchive({ folder, binary, licences }: Context, name: string, architecture: string): string {
  const output = join(folder, `${name}.tar.gz`);
  const files = archiveFiles(binary, licences, architecture);
  makeArchive({ files, folder: 'skerry-0.1.0', seconds: TIME, work: join(folder, `${name}.work`), output });
  const target = join(folder, name);
  mkdirSync(target);
  execFileSync('tar', ['-xzf', output, '-C', target]);
  return join(target, 'skerry-0.1.0');
}

function lines(text: string): string[] {
  return text.trim().split('\n');
}

packages('each file of the Debian package has its fixed permissions and is owned by root', context => {
  const listed = lines(
    execFileSync('dpkg-deb', ['-c', debianPackage(context, 'files')], { encoding: 'utf8' }),
  );
  const files = listed.filter(line => !line.endsWith('/')).map(line => line.split(/\s+/));
  assert.equal(
    files.map(([mode, owner, , , , path]) => `${mode} ${owner} ${path}`),
    [
      '-rw-r--r-- root/root ./etc/default/skerry',
      '-rwxr-xr-x root/root ./usr/bin/skerry',
      '-rw-r--r-- root/root ./usr/lib/systemd/system/skerry-provision.service',
      '-rw-r--r-- root/root ./usr/lib/systemd/system/skerry.service',
      '-rw-r--r-- root/root ./usr/lib/sysusers.d/skerry.conf',
      '-rw-r--r-- root/root ./usr/share/bash-completion/completions/skerry',
      '-rw-r--r-- root/root ./usr/share/doc/skerry/THIRD-PARTY-LICENSES.gz',
      '-rw-r--r-- root/root ./usr/share/doc/skerry/changelog.gz',
      '-rw-r--r-- root/root ./usr/share/doc/skerry/copyright',
      '-rw-r--r-- root/root ./usr/share/doc/skerry/examples/journald.conf',
      '-rw-r--r-- root/root ./usr/share/doc/skerry/examples/rpi-image-gen/skerry.yaml',
      '-rw-r--r-- root/root ./usr/share/doc/skerry/examples/user-data.yaml',
      '-rw-r--r-- root/root ./usr/share/doc/skerry/examples/user.conf',
      '-rw-r--r-- root/root ./usr/share/fish/vendor_completions.d/skerry.fish',
      '-rw-r--r-- root/root ./usr/share/lintian/overrides/skerry',
      '-rw-r--r-- root/root ./usr/share/man/man1/skerry.1.gz',
      '-rw-r--r-- root/root ./usr/share/zsh/vendor-completions/_skerry',
    ],
  );
});

packages(
  'the Debian package declares its version, the libraries that it needs and its configuration file',
  context => {
    const output = debianPackage(context, 'control');
    const field = (name: string): string =>
      execFileSync('dpkg-deb', ['-f', output, name], { encoding: 'utf8' }).trim();
    assert.is(field('Package'), 'skerry');
    assert.is(field('Version'), VERSION);
    assert.match(field('Depends'), /libc6 \(>= 2\.34\).*libstdc\+\+6/);
    const control = join(context.folder, 'control.unpacked');
    execFileSync('dpkg-deb', ['-e', output, control]);
    assert.is(readFileSync(join(control, 'conffiles'), 'utf8'), '/etc/default/skerry\n');
    const checksums = lines(readFileSync(join(control, 'md5sums'), 'utf8'));
    assert.is(checksums.length, 16);
    const tree = join(context.folder, 'control.tree');
    execFileSync('dpkg-deb', ['-x', output, tree]);
    execFileSync('md5sum', ['-c', '--quiet', join(control, 'md5sums')], { cwd: tree });
    for (const script of ['postinst', 'prerm', 'postrm']) {
      assert.is(statSync(join(control, script)).mode & 0o777, 0o755);
      assert.is(spawnSync('sh', ['-n', join(control, script)]).status, 0);
    }
  },
);

packages('two builds of the Debian package from equal input have the same bytes', context => {
  const [one, other] = [debianPackage(context, 'equal-1'), debianPackage(context, 'equal-2')];
  assert.ok(readFileSync(one).equals(readFileSync(other)));
  unpackedArchive(context, 'archive-1', process.arch);
  unpackedArchive(context, 'archive-2', process.arch);
  const bytes = (name: string): Buffer => readFileSync(join(context.folder, `${name}.tar.gz`));
  assert.ok(bytes('archive-1').equals(bytes('archive-2')));
});

packages('purge of the Debian package removes the data folder only if the folder is empty', context => {
  const control = join(context.folder, 'purge');
  execFileSync('dpkg-deb', ['-e', debianPackage(context, 'purged'), control]);
  const script = readFileSync(join(control, 'postrm'), 'utf8');
  assert.match(script, /rmdir \/var\/lib\/skerry/);
  assert.not.match(script, /^\s*rm /m);
});

packages('install.sh keeps changed settings at an update, and keeps the data at an uninstall', context => {
  const archive = unpackedArchive(context, 'installed', process.arch);
  const root = join(context.folder, 'root');
  const env = { ...process.env, DESTDIR: root };
  const install = (...args: string[]): string =>
    execFileSync(join(archive, 'install.sh'), args, { env, encoding: 'utf8' });
  assert.match(install(), /Skerry is installed\. Start a hub: skerry up/);
  const installed = join(root, 'usr/local/bin/skerry');
  assert.is(execFileSync(installed, { encoding: 'utf8' }), 'stub\n');
  const unit = readFileSync(join(root, 'etc/systemd/system/skerry.service'), 'utf8');
  assert.match(unit, /^ExecStart=\/usr\/local\/bin\/skerry up /m);
  const settings = join(root, 'etc/default/skerry');
  writeFileSync(settings, 'SKERRY_OPTIONS=/etc/shop.json\n');
  install();
  assert.is(readFileSync(settings, 'utf8'), 'SKERRY_OPTIONS=/etc/shop.json\n');
  mkdirSync(join(root, 'var/lib/skerry'), { recursive: true });
  assert.match(install('--uninstall'), /Skerry is removed/);
  assert.not(existsSync(installed));
  assert.not(existsSync(join(root, 'etc/systemd/system/skerry.service')));
  assert.ok(existsSync(join(root, 'var/lib/skerry')));
});

packages('install.sh refuses a machine that cannot run the binary and names the reason', context => {
  const foreign = process.arch === 'x64' ? 'arm64' : 'x64';
  const env = { ...process.env, DESTDIR: join(context.folder, 'nowhere') };
  const run = (
    archive: string,
    ...args: string[]
  ): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(join(archive, 'install.sh'), args, { env, encoding: 'utf8' });
  const other = run(unpackedArchive(context, 'foreign', foreign));
  assert.is(other.status, 1);
  assert.match(other.stderr, new RegExp(`this archive is for ${foreign}, and this machine is `));
  const archive = unpackedArchive(context, 'broken', process.arch);
  writeFileSync(join(archive, 'skerry'), '#!/bin/sh\necho "no loader" >&2\nexit 127\n');
  const broken = run(archive);
  assert.is(broken.status, 1);
  assert.match(broken.stderr, /the binary does not start: no loader/);
  const help = /^Installs Skerry from its archive .*\n {2}sudo \.\/install\.sh /;
  assert.match(run(archive, '--help').stdout, help);
  const unknown = run(archive, '--force');
  assert.is(unknown.status, 2);
  assert.match(unknown.stderr, /"--force" is not an option/);
  assert.not(existsSync(join(context.folder, 'nowhere')));
});

packages('the systemd unit in the documentation equals the systemd unit of the package', () => {
  const root = join(import.meta.dirname, '../..');
  const page = readFileSync(join(root, 'docs/reference/service.md'), 'utf8');
  const unit = readFileSync(join(root, 'packaging/skerry.service'), 'utf8');
  const shown = Array.from(page.matchAll(/^ {4}.*\n|^\n(?= {4})/gm), ([line]) => line.replace(/^ {4}/, ''));
  assert.ok(shown.join('').includes(unit));
});

packages.run();
