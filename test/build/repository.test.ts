import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { makeDebianPackage } from '../../build/package/debian.ts';
import { debianFiles } from '../../build/package/files.ts';
import { makeRepository } from '../../build/package/repository.ts';
import { VERSION } from '../../src/core/version.ts';
import { aptOptions, privateApt } from '../harness/apt.ts';
import { isInstalled } from '../harness/brokers/server.ts';
import { skip } from '../harness/skip.ts';

type Context = { folder: string; packages: string };

const repository = suite<Context>('build: apt repository');

/** Seconds since 1970 that the repository names as its time. */
const TIME = 1_700_000_000;

const KEY = 'releases@skerry.example';

repository.before(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'skerry-repository-'));
  context.packages = join(context.folder, 'dist');
  mkdirSync(context.packages);
  const binary = join(context.folder, 'skerry');
  writeFileSync(binary, '#!/bin/sh\necho stub\n', { mode: 0o755 });
  for (const architecture of ['amd64', 'arm64'])
    makeDebianPackage({
      files: debianFiles(binary, binary, 'skerry (0.1.0) stable; urgency=medium\n'),
      version: VERSION,
      architecture,
      seconds: TIME,
      work: join(context.folder, `work-${architecture}`),
      output: join(context.packages, `skerry_${VERSION}_${architecture}.deb`),
    });
});

repository.after(({ folder }) => rmSync(folder, { recursive: true }));

function make({ folder, packages }: Context, name: string, key?: string): string {
  const output = join(folder, name);
  const names = makeRepository({ packages, output, key, seconds: TIME });
  assert.equal(names.sort(), [`skerry_${VERSION}_amd64.deb`, `skerry_${VERSION}_arm64.deb`]);
  return output;
}

/** Runs apt of `architecture` with this repository as its only source. Returns its output, or its errors. */
function apt({ folder }: Context, output: string, architecture: string, trust: string): string {
  const own = mkdtempSync(join(folder, 'apt-'));
  mkdirSync(join(own, 'sources'));
  const source = `Types: deb\nURIs: file:${output}\nSuites: stable\nComponents: main\n${trust}\n`;
  writeFileSync(join(own, 'sources/skerry.sources'), source);
  const options = [
    ...privateApt(own, architecture),
    ...aptOptions({ 'Dir::Etc::SourceList': '/dev/null', 'Dir::Etc::SourceParts': join(own, 'sources') }),
  ];
  const update = spawnSync('apt-get', [...options, 'update'], { encoding: 'utf8' });
  if (update.status !== 0) return update.stderr;
  return execFileSync('apt-cache', [...options, 'policy', 'skerry'], { encoding: 'utf8' });
}

if (!isInstalled('apt-ftparchive', '--version')) skip('apt-ftparchive (package apt-utils) is not installed');
else {
  repository('apt finds the package of each architecture in an unsigned repository', context => {
    const output = make(context, 'unsigned');
    for (const architecture of ['amd64', 'arm64'])
      assert.match(apt(context, output, architecture, 'Trusted: yes'), new RegExp(`Candidate: ${VERSION}`));
    assert.not(existsSync(join(output, 'skerry.sources')));
  });

  repository('equal packages give an equal repository', context => {
    const [one, other] = [make(context, 'one'), make(context, 'other')];
    for (const name of readdirSync(one, { recursive: true, encoding: 'utf8' }).filter(file =>
      /Packages|Release/.test(file),
    ))
      assert.ok(readFileSync(join(one, name)).equals(readFileSync(join(other, name))), name);
  });

  repository('apt accepts a signed repository only with the key that signed it', context => {
    if (!isInstalled('gpg', '--version')) return skip('gpg is not installed');
    const home = mkdtempSync(join(context.folder, 'gpg-'));
    process.env['GNUPGHOME'] = home;
    const generate = (user: string): void =>
      void execFileSync('gpg', ['--batch', '--quiet', '--passphrase', '', '--quick-gen-key', user]);
    generate(KEY);
    generate('stranger@skerry.example');
    const output = make(context, 'signed', KEY);
    const own = `Signed-By: ${join(output, 'skerry.asc')}`;
    assert.match(readFileSync(join(output, 'skerry.sources'), 'utf8'), /^Signed-By: .*\/skerry\.asc$/m);
    assert.match(apt(context, output, 'amd64', own), new RegExp(`Candidate: ${VERSION}`));
    const foreign = join(context.folder, 'stranger.asc');
    writeFileSync(foreign, execFileSync('gpg', ['--armor', '--export', 'stranger@skerry.example']));
    assert.match(apt(context, output, 'amd64', `Signed-By: ${foreign}`), /NO_PUBKEY|couldn't be verified/);
  });
}

repository('a folder without packages is refused', ({ folder }) => {
  const empty = mkdtempSync(join(folder, 'empty-'));
  const settings = { packages: empty, output: join(folder, 'none'), key: undefined, seconds: TIME };
  assert.throws(() => makeRepository(settings), /holds no Debian package: run "npm run package" first/);
});

repository.run();
