import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, removeFolder, skerry, until } from '../harness/binary.ts';
import { ca, withFiles } from '../harness/certificates.ts';
import { outcome } from '../harness/clients/listeners.ts';
import { runHub, skip } from '../harness/skip.ts';

const root = resolve(import.meta.dirname, '../..');
const listeners = [{ mqtt: '127.0.0.1:0' }];
const idle = { 'idle.json': JSON.stringify({ name: 'idle', listeners }) };

/**
 * Maximum MB of memory of an idle hub. A hub uses 15.5 MB on x64, and 18 MB if the V8 code cache of the build
 * is missing or invalid.
 */
const MAX_IDLE_MB = 17;

type Context = { folder: string };

const binary = suite<Context>('build: binary', { folder: '' });

binary.before.each(context => {
  context.folder = folderWith(idle);
});

binary.after.each(({ folder }) => removeFolder(folder));

function up(folder: string): string[] {
  return [skerry, 'up', join(folder, 'idle.json'), '--data', join(folder, 'data')];
}

binary('the binary runs as a single file with an empty environment', async ({ folder }) => {
  const alone = join(folder, 'alone');
  mkdirSync(alone);
  copyFileSync(skerry, join(alone, 'skerry'), constants.COPYFILE_FICLONE);
  const [, ...args] = up(folder);
  const { code, stderr } = await runHub([join(alone, 'skerry'), ...args], {});
  assert.is(code, 0, stderr);
  assert.equal(readdirSync(alone), ['skerry']);
});

binary(
  'an idle hub that starts from the V8 code cache of the build uses less than MAX_IDLE_MB of memory',
  async ({ folder }) => {
    if (process.arch !== 'x64') return skip(`what it holds on ${process.arch} is not known`);
    let used = Number.NaN;
    const { code, stderr } = await runHub(up(folder), {}, async () => {
      const pid = readFileSync(join(folder, 'data', 'skerry.pid'), 'latin1').trim();
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      used = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    });
    assert.is(code, 0, stderr);
    assert.ok(used < MAX_IDLE_MB, `${used} MB`);
  },
);

binary('the binary ignores NODE_OPTIONS', () => {
  const env = { NODE_OPTIONS: '--require /nowhere' };
  assert.is(spawnSync(process.execPath, ['-e', ''], { env }).status, 1);
  assert.is(spawnSync(skerry, ['version'], { env }).status, 0);
});

binary('an extracted native library with changed bytes is replaced at the next start', async ({ folder }) => {
  assert.is((await runHub(up(folder), {})).code, 0);
  const native = join(folder, 'data', 'native');
  const file = readdirSync(native).find(name => name.startsWith('lmdb-')) ?? '';
  const path = join(native, file);
  const hash = () => createHash('sha256').update(readFileSync(path)).digest('hex');
  assert.is(file, `lmdb-${hash()}.node`);
  rmSync(path);
  writeFileSync(path, 'planted');
  const { code, stderr } = await runHub(up(folder), {});
  assert.is(code, 0, stderr);
  assert.is(file, `lmdb-${hash()}.node`);
});

binary(
  'the error text of a failed write in the bundled LMDB library contains no numbers',
  async ({ folder }) => {
    assert.is((await runHub(up(folder), {})).code, 0);
    const native = join(folder, 'data', 'native');
    const content = readFileSync(join(native, readdirSync(native)[0] ?? ''), 'latin1');
    assert.match(content, /\0Attempting to write a page\0/);
    assert.not.match(content, /Attempting to write page|Write error: %s/);
  },
);

binary('a module with `tty` in the manifest gets a terminal', async ({ folder }) => {
  const t = { exec: ['/bin/sh', '-c', 'tty; exec sleep 60'], io: 'lines', tty: true };
  writeFileSync(join(folder, 'idle.json'), JSON.stringify({ name: 'idle', listeners, modules: { t } }));
  const log = join(folder, 'data', 'logs', 't.log');
  const named = () => existsSync(log) && / \/dev\/pts\/\d+$/m.test(readFileSync(log, 'utf8'));
  const { code } = await runHub(up(folder), {}, () => until('the module has printed its terminal', named));
  assert.is(code, 0);
});

/** Returns the command of a hub in a mount namespace after `mounts`. `$folder` is the folder of the test. */
function mounted(folder: string, mounts: string): string[] {
  const script = `folder=$0; ${mounts} || { echo no mounts >&2; exit 1; }; exec "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, folder, ...up(folder)];
}

function couldMount(stderr: string): boolean {
  if (!/no mounts|unshare/.test(stderr)) return true;
  skip('file systems cannot be mounted here');
  return false;
}

binary(
  'the hub starts although the root file system is read-only and the temporary folder is mounted noexec',
  async ({ folder }) => {
    mkdirSync(join(folder, 'data'));
    const mounts = [
      'mount --bind "$folder" "$folder" && mount -o remount,bind,ro,noexec "$folder"',
      'mount -t tmpfs -o mode=0700 tmpfs "$folder/data"',
      'mount -o remount,bind,ro /',
    ];
    const command = mounted(folder, mounts.join(' && '));
    const { code, stderr } = await runHub(command, { PATH: process.env['PATH'], TMPDIR: folder });
    if (couldMount(stderr)) assert.is(code, 0, stderr);
  },
);

binary(
  'a data folder that is mounted noexec is refused with an error that names the cure',
  async ({ folder }) => {
    mkdirSync(join(folder, 'data'));
    const command = mounted(folder, 'mount -t tmpfs -o mode=0700,noexec tmpfs "$folder/data"');
    const { code, stderr } = await runHub(command, { PATH: process.env['PATH'] });
    if (!couldMount(stderr)) return;
    assert.is(code, 1);
    assert.match(
      stderr,
      /^skerry: .*\/data\/native\/lmdb-.* probably mounted noexec, so name a data folder on another with --data DIR\.$/m,
    );
  },
);

binary('the binary serves WebSockets and TLS', async ({ folder }) => {
  await withFiles(async ({ tls }) => {
    const both = [{ ws: '127.0.0.1:0' }, { wss: '127.0.0.1:0', ...tls }, { mqtts: '127.0.0.1:0', ...tls }];
    writeFileSync(join(folder, 'idle.json'), JSON.stringify({ name: 'idle', listeners: both }));
    const ended = await runHub(up(folder), {}, async stderr => {
      const addresses = Array.from(stderr().matchAll(/(wss?|mqtts):\/\/[\d.:]+\d/g), ([address]) => address);
      assert.is(addresses.length, 3, stderr());
      for (const address of addresses) assert.is(await outcome(`${address}/mqtt`, { ca }), 'in', address);
    });
    assert.is(ended.code, 0, ended.stderr);
  });
});

binary('the licences of all parts of the binary are in a file beside the binary', () => {
  const texts = readFileSync(join(root, 'dist', 'THIRD-PARTY-LICENSES'), 'utf8');
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.ok(typeof manifest === 'object' && manifest !== null && 'dependencies' in manifest);
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    assert.match(texts, new RegExp(`^=+\n${name} [\\d.]+\n=+$`, 'm'));
  }
  assert.match(texts, /Copyright Node\.js contributors/);
});

binary('the build refuses unknown arguments', () => {
  for (const args of [['--arch', 'mips'], ['--arch'], ['x64'], ['--arch', 'x64', 'x64']]) {
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'build.mjs'), ...args], {
      encoding: 'utf8',
    });
    assert.is(status, 2);
    assert.match(
      stderr,
      /^build: .* is invalid\. Usage: node build\.mjs \[--arch x64\|arm64\] \[--cache FILE\]\n$/,
    );
  }
});

binary.run();
