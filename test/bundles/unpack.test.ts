import { spawnSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../src/core/errors.ts';
import { archive, entry, extended, sha256Of } from '../harness/bundles/archives.ts';
import { assertClean, createBundlesHarness, never, treeOf } from '../harness/bundles/bundles.ts';

/** Part of a path. Two of these are longer than the name field of a header. */
const LONG = 'n'.repeat(90);

const unpack = suite('bundles: unpacking');

/** Creates a small program with folders, an executable, links, a long name and a name in UTF-8. */
function makeProgram(folder: string): string {
  const program = join(folder, 'program');
  mkdirSync(join(program, 'bin'), { recursive: true });
  mkdirSync(join(program, 'lib', LONG), { recursive: true });
  writeFileSync(join(program, 'bin', 'app'), '#!/bin/sh\necho works\n', { mode: 0o755 });
  writeFileSync(join(program, 'lib', LONG, `${LONG}.so`), 'library');
  writeFileSync(join(program, 'lib', 'größe.txt'), 'Maß');
  writeFileSync(join(program, 'empty'), '');
  writeFileSync(join(program, 'private'), 'mine', { mode: 0o600 });
  symlinkSync('../lib', join(program, 'bin', 'up'));
  symlinkSync('bin/app', join(program, 'run'));
  linkSync(join(program, 'bin', 'app'), join(program, 'bin', 'same'));
  chmodSync(join(program, 'bin', 'app'), 0o4777);
  return program;
}

function tar(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('tar', args, { encoding: 'utf8' });
  assert.is(status, 0, stderr);
}

const EXPECTED = {
  bin: '555 folder',
  'bin/app': '555 #!/bin/sh\necho works\n',
  'bin/same': '555 #!/bin/sh\necho works\n',
  'bin/up': '-> ../lib',
  empty: '444 ',
  lib: '555 folder',
  'lib/größe.txt': `444 ${Buffer.from('Maß').toString('latin1')}`,
  [`lib/${LONG}`]: '555 folder',
  [`lib/${LONG}/${LONG}.so`]: '444 library',
  private: '400 mine',
  run: '-> bin/app',
};

for (const format of ['gnu', 'pax', 'ustar']) {
  for (const packing of ['none', 'gzip', 'zstd']) {
    unpack(`an archive of tar in ${format} format with compression ${packing} is unpacked`, async () => {
      const harness = await createBundlesHarness();
      const program = makeProgram(harness.folder);
      const file = join(harness.folder, 'made');
      tar('--format', format, '-cf', file, '-C', program, '.');
      const plain = readFileSync(file);
      const packed = packing === 'none' ? plain : packedBy(packing, plain);
      const wanted = harness.wanted(packed);
      assert.not(harness.store.has(wanted.sha256));
      await harness.store.fetchBundles([wanted], never);
      assert.ok(harness.store.has(wanted.sha256));
      const unpacked = harness.store.folderOf(wanted.sha256);
      assert.equal(treeOf(unpacked), EXPECTED);
      assert.is(statSync(unpacked).mode & 0o7777, 0o555);
      assert.is(statSync(join(unpacked, 'bin/app')).ino, statSync(join(unpacked, 'bin/same')).ino);
      assert.is(spawnSync(join(unpacked, 'run'), { encoding: 'utf8' }).stdout, 'works\n');
      assertClean(harness.bundles, [wanted.sha256]);
      await harness.remove();
    });
  }
}

/** Compresses with the program, or with Node if the program is not installed. */
function packedBy(packing: string, plain: Buffer): Buffer {
  const { status, stdout } = spawnSync(packing, ['-c'], { input: plain, maxBuffer: 1 << 24 });
  if (status === 0) return stdout;
  return packing === 'gzip' ? gzipSync(plain) : zstdCompressSync(plain);
}

unpack('a bundle that several modules use is unpacked once', async () => {
  const harness = await createBundlesHarness();
  const wanted = harness.wanted(archive({ name: 'a', content: 'A' }));
  await harness.store.fetchBundles([wanted, { ...wanted, subject: 'modules.n.bundle' }], never);
  await harness.store.fetchBundles([{ ...wanted, source: { path: '/nowhere' } }], never);
  assert.equal(harness.logged, [`Unpacking modules.m.bundle (SHA-256 ${wanted.sha256}).`]);
  await harness.remove();
});

unpack('a bundle of two modules is refused if it exceeds the limits of one of the modules', async () => {
  const harness = await createBundlesHarness();
  const wanted = harness.wanted(archive({ name: 'a', content: 'AAA' }));
  const prepared = harness.store.fetchBundles([wanted, { ...wanted, size: 2 }], never);
  assert.match(String(await prepared.catch(reasonOf)), /more than 2 bytes/);
  await harness.remove();
});

unpack(
  'an archive with a global comment, missing folder entries and files before their folder is unpacked',
  async () => {
    const harness = await createBundlesHarness();
    const remark = { ...extended({ comment: 'commit 1' }, 'g') };
    const wanted = harness.wanted(
      archive(
        remark,
        { name: 'd/e/f', content: 'F' },
        { name: './d/', type: '5', mode: 0o700 },
        { name: 'g', type: '0' },
      ),
    );
    await harness.store.fetchBundles([wanted], never);
    assert.equal(treeOf(harness.store.folderOf(wanted.sha256)), {
      d: '500 folder',
      'd/e': '555 folder',
      'd/e/f': '444 F',
      g: '444 ',
    });
    await harness.remove();
  },
);

unpack('a bundle with exactly the maximum number of bytes and files is accepted', async () => {
  const harness = await createBundlesHarness();
  const bytes = archive({ name: 'd/a', content: 'x'.repeat(1000) }, { name: 'd/b', content: 'y'.repeat(24) });
  await harness.store.fetchBundles([harness.wanted(bytes, { size: 1024, files: 3 })], never);
  assert.ok(harness.store.has(sha256Of(bytes)));
  await harness.remove();
});

for (const [packing, packed] of [
  ['gzip', gzipSync(archive({ name: 'a', content: 'A' }))],
  ['zstd', zstdCompressSync(archive({ name: 'a', content: 'A' }))],
] as const) {
  unpack(
    `padding behind ${packing} data is included in the hash of the bundle and is not unpacked`,
    async () => {
      const harness = await createBundlesHarness();
      for (const length of [100, 600_000]) {
        const wanted = harness.wanted(Buffer.concat([packed, Buffer.alloc(length)]));
        await harness.store.fetchBundles([wanted], never);
        assert.equal(treeOf(harness.store.folderOf(wanted.sha256)), { a: '444 A' });
      }
      await harness.remove();
    },
  );
}

unpack('a bundle at an offset inside a larger file is unpacked directly from this file', async () => {
  const harness = await createBundlesHarness();
  const inner = gzipSync(archive({ name: 'a', content: 'A' }));
  const outer = Buffer.concat([Buffer.from('before'), inner, Buffer.from('behind')]);
  const { source } = harness.wanted(outer);
  assert.ok('path' in source);
  const part = { offset: 6, size: inner.length };
  await harness.store.fetchBundles([harness.wanted(inner, { source: { path: source.path, part } })], never);
  assert.equal(treeOf(harness.store.folderOf(sha256Of(inner))), { a: '444 A' });
  await harness.remove();
});

unpack('bundles that no module uses are removed, also if their folders are read-only', async () => {
  const harness = await createBundlesHarness();
  const [one, two] = ['1', '2'].map(content => harness.wanted(archive({ name: 'd/e/f', content })));
  assert.ok(one && two);
  await harness.store.fetchBundles([one, two], never);
  writeFileSync(join(harness.bundles, 'note'), '');
  await harness.store.removeUnused(new Set([two.sha256]));
  assertClean(harness.bundles, [two.sha256, 'note']);
  await harness.store.removeUnused(new Set());
  assertClean(harness.bundles, ['note']);
  await harness.remove();
});

unpack('a bundle whose unpacking is aborted leaves no file', async () => {
  const harness = await createBundlesHarness();
  const wanted = harness.wanted(archive({ name: 'a', content: Buffer.alloc(1 << 23) }), { size: 1 << 24 });
  const newer = harness.wanted(archive({ name: 'b', content: 'B' }));
  const controller = new AbortController();
  const given = harness.store.fetchBundles([wanted], controller.signal);
  const next = harness.store.fetchBundles([newer], never);
  const reason = new Error('a newer manifest was applied');
  controller.abort(reason);
  assert.is(await given.catch((thrown: unknown) => thrown), reason);
  await next;
  assertClean(harness.bundles, [newer.sha256]);
  await harness.remove();
});

unpack('a user without privileges can unpack and remove a bundle', async () => {
  if (process.getuid?.() !== 0) {
    process.stdout.write('\nskipped: a user without privileges: the test needs root to change its user\n');
    return;
  }
  const harness = await createBundlesHarness();
  chmodSync(harness.folder, 0o777);
  const { sha256, source } = harness.wanted(archive({ name: 'd/e/f', content: 'F' }, entry({ name: 'g' })));
  assert.ok('path' in source);
  const child = join(import.meta.dirname, 'child.ts');
  const args = [child, harness.bundles, source.path, sha256, 'collect'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    uid: 65534,
    gid: 65534,
    encoding: 'utf8',
  });
  assert.is(status, 0, stderr);
  assert.is(stdout, 'prepared\ncollected\n');
  assertClean(harness.bundles, []);
  await harness.remove();
});

unpack.run();
