import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, removeFolder, run } from '../../harness/binary.ts';
import { archive, sha256Of } from '../../harness/bundles/archives.ts';

const program = gzipSync(
  archive(
    { name: 'bin/app', content: '#!/bin/sh\n', mode: 0o755 },
    { name: 'app', type: '2', linkname: 'bin/../bin/app' },
    { name: 'data', content: 'x' },
  ),
);
const hub = Buffer.from('the hub itself');
const remote = { sha256: 'f'.repeat(64), from: 'https://example.org/b.tar.gz' };

function manifestWith(bundle: object, more: object = {}): string {
  const modules = { m: { exec: ['bin/app'], bundle }, remote: { exec: ['x'], bundle: remote } };
  return JSON.stringify({ name: 'gate', modules, ...more });
}

/** Creates a folder with a manifest, a bundle and a hub. */
function folderOf(manifest: string): string {
  const folder = folderWith({ 'manifest.json': manifest });
  writeFileSync(join(folder, 'app.tar.gz'), program);
  writeFileSync(join(folder, 'hub-x64'), hub);
  return folder;
}

const pack = suite('e2e: skerry pack');

pack('`skerry pack` writes hashes into the manifest, and replaces an existing pack only with --force', () => {
  const folder = folderOf(
    manifestWith({ from: 'app.tar.gz' }, { serial: 7, hub: { x64: { from: 'hub-x64' } } }),
  );
  const out = join(folder, 'update.skerry');
  const made = run(['pack', join(folder, 'manifest.json'), '-o', out]);
  assert.equal([made.code, made.err], [0, '']);
  assert.match(made.out, /^\S+update\.skerry {2}\d+\.\d KB\n$/);
  const listed = run(['pack', '--list', out]);
  assert.equal([listed.code, listed.err], [0, '']);
  assert.equal(listed.out.trimEnd().split('\n'), [
    '"gate", serial 7, not signed',
    `FOR                    ${'SHA-256'.padEnd(64)}  SIZE`,
    `modules.m.bundle       ${sha256Of(program)}  ${program.length} B`,
    `modules.remote.bundle  ${remote.sha256}  ${remote.from}`,
    `hub.x64                ${sha256Of(hub)}  ${hub.length} B`,
  ]);
  const first = readFileSync(out);
  const again = run(['pack', join(folder, 'manifest.json'), '-o', out]);
  assert.is(again.code, 2);
  assert.match(
    again.err,
    /update\.skerry already exists: name another file, or replace it with --force\.\n$/,
  );
  assert.equal(readFileSync(out), first);
  assert.is(run(['pack', join(folder, 'manifest.json'), '--force', '-o', out]).code, 0);
  assert.equal(createHash('sha256').update(readFileSync(out)).digest('hex'), sha256Of(first));
  removeFolder(folder);
});

const sha256 = sha256Of(program);

const module = (more: object): object => ({ modules: { m: { exec: ['/bin/true'], ...more } } });
const bundled = (more: object): object => module({ bundle: { from: 'app.tar.gz' }, ...more });
const tls = { cert: '/etc/a.pem', key: '/etc/a.key' };
const CURE = 'put the file into a "bundle" of module "m", or write an absolute path';

/** Manifests with paths that would not exist on a device, each with the error sentence. */
const UNPACKABLE: readonly (readonly [what: string, more: object, sentence: string])[] = [
  [
    'a program beside the manifest',
    module({ exec: ['./door.sh'] }),
    `modules\\.m\\.exec\\[0\\] is the relative path "\\./door\\.sh", and a pack does not contain it: ${CURE}`,
  ],
  [
    'a program above the folder of the manifest',
    module({ exec: ['../door.sh'] }),
    '.*exec\\[0\\] is the relative path .*',
  ],
  [
    'an argument that is a relative path',
    module({ exec: ['python3', './x.py'] }),
    '.*exec\\[1\\] is the relative path .*',
  ],
  [
    'an argument that is the name of a file beside the manifest',
    module({ exec: ['python3', 'hub-x64'] }),
    '.*exec\\[1\\] is the relative path .*',
  ],
  [
    'a health check beside the manifest',
    module({ health: { exec: ['bin/check'] } }),
    'modules\\.m\\.health\\.exec\\[0\\] is the relative path .*',
  ],
  [
    'an environment variable that is a relative path',
    module({ env: { CONF: './x' } }),
    'modules\\.m\\.env\\.CONF is the relative path .*',
  ],
  ...(['cert', 'key', 'ca'] as const).map((field): (typeof UNPACKABLE)[number] => [
    `a listener whose ${field} is beside the manifest`,
    {
      listeners: [
        {
          mqtts: '127.0.0.1:8883',
          ...tls,
          ca: '/etc/ca.pem',
          clientCertificates: 'required',
          [field]: 'x.pem',
        },
      ],
    },
    `listeners\\[0\\]\\.${field} is the relative path "x\\.pem", and a pack does not contain it: write an absolute path`,
  ]),
  [
    'a Unix socket beside the manifest',
    { listeners: [{ unix: 'hub.sock' }] },
    'listeners\\[0\\]\\.unix is .*, and a pack has no folder to create it in: write an absolute path',
  ],
  [
    'an upstream whose ca is beside the manifest',
    { upstream: { url: 'mqtts://parent', tls: { ca: 'ca.pem' } } },
    'upstream\\.tls\\.ca is the relative path .*',
  ],
  [
    'a program that is not in its bundle',
    bundled({ exec: ['./bin/other'] }),
    '.*exec\\[0\\] is "\\./bin/other", which the bundle does not contain: correct the path, or add the file',
  ],
  ['a program outside of its bundle', bundled({ exec: ['../app'] }), '.*which the bundle does not contain.*'],
  [
    'a program that is a folder of its bundle',
    bundled({ exec: ['./bin'] }),
    '.*which is a folder in the bundle.*',
  ],
  [
    'a program without execute permission',
    bundled({ exec: ['./data'] }),
    '.*which is not executable in the bundle.*',
  ],
  [
    'a health check that is not in its bundle',
    bundled({ health: { exec: ['bin/check'] } }),
    'modules\\.m\\.health\\.exec\\[0\\] is .*which the bundle does not contain.*',
  ],
  [
    'an argument that is not in its bundle',
    bundled({ exec: ['sh', './x'] }),
    '.*exec\\[1\\] is .*does not contain.*',
  ],
];

/** Manifests that cannot be packed, with their error sentence. */
const REFUSED: readonly (readonly [what: string, manifest: string, sentence: RegExp, code: number])[] = [
  ['a manifest that is not JSON', '{"name": ', /is not JSON/, 2],
  [
    'a manifest with a wrong field',
    manifestWith({ from: 'app.tar.gz' }, { modlues: {} }),
    /^modlues is an unknown field/,
    2,
  ],
  [
    'a missing bundle',
    manifestWith({ from: 'gone' }),
    /^modules\.m\.bundle\.from cannot be read from \S+gone: no such file \(ENOENT\)\.$/,
    2,
  ],
  [
    'a bundle that is a folder',
    manifestWith({ from: '.' }),
    /^modules\.m\.bundle\.from cannot be read from \S+: it is not a regular file\.$/,
    2,
  ],
  [
    'a wrong hash',
    manifestWith({ from: 'app.tar.gz', sha256: 'a'.repeat(64) }),
    new RegExp(`^modules\\.m\\.bundle\\.sha256 is not that of \\S+, which is ${sha256}: correct it`),
    2,
  ],
  [
    'a remote bundle without a hash',
    manifestWith({ from: remote.from }),
    /^modules\.m\.bundle\.sha256 is missing/,
    2,
  ],
  [
    'a bundle that is not an archive',
    manifestWith({ from: 'hub-x64' }),
    /^modules\.m\.bundle is neither tar nor tar with gzip or zstd\.$/,
    2,
  ],
  [
    'a bundle above its size limit',
    manifestWith({ from: 'app.tar.gz', size: 5 }),
    /^modules\.m\.bundle holds more than 5 bytes, the limit by its "size"\.$/,
    2,
  ],
  ...UNPACKABLE.map(
    ([what, more, sentence]) =>
      [what, manifestWith({ from: 'app.tar.gz' }, more), new RegExp(`^${sentence}\\.$`), 2] as const,
  ),
];

for (const [what, manifest, sentence, code] of REFUSED) {
  pack(`${what} is refused by skerry pack with one sentence, and no pack is written`, () => {
    const folder = folderOf(manifest);
    const out = join(folder, 'update.skerry');
    const made = run(['pack', join(folder, 'manifest.json'), '-o', out]);
    assert.equal([made.code, made.out], [code, '']);
    assert.match(made.err.replace(/^skerry: /, '').trimEnd(), sentence);
    assert.throws(() => readFileSync(out), /ENOENT/);
    removeFolder(folder);
  });
}

pack('`skerry pack` accepts a program in the bundle, behind a link, in PATH or at an absolute path', () => {
  for (const exec of [['./app'], ['bin/app', './data'], ['app', 'x'], ['/opt/app', '/opt/x']]) {
    const manifest = manifestWith({ from: 'app.tar.gz' }, bundled({ exec, env: { PATH: './bin:/bin' } }));
    const folder = folderOf(manifest);
    const made = run(['pack', join(folder, 'manifest.json'), '-o', join(folder, 'update.skerry')]);
    assert.equal([made.code, made.err], [0, ''], exec.join(' '));
    removeFolder(folder);
  }
});

pack('`skerry pack --list` refuses an incomplete pack and a file that is no pack', () => {
  const folder = folderOf(manifestWith({ from: 'app.tar.gz' }));
  const lacking = join(folder, 'lacking');
  const named = { sha256, from: 'app.tar.gz' };
  writeFileSync(lacking, archive({ name: 'manifest.json', content: manifestWith(named) }));
  const listed = run(['pack', '--list', lacking]);
  assert.is(listed.code, 2);
  assert.match(
    listed.err,
    /does not hold the file of modules\.m\.bundle: make it again with "skerry pack"\.\n$/,
  );
  const none = run(['pack', '--list', join(folder, 'manifest.json')]);
  assert.equal([none.code, none.out], [2, '']);
  assert.match(none.err, /is not a tar archive\.\n$/);
  assert.match(run(['pack']).err, /^skerry: <manifest \| pack> is missing\. Usage: skerry pack /);
  removeFolder(folder);
});

pack.run();
