import { spawnSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../src/core/errors.ts';
import { archive, entry, extended, sha256Of } from '../harness/bundles/archives.ts';
import { assertClean, createBundlesHarness, never, treeOf } from '../harness/bundles/bundles.ts';

/** Two of it are longer than the name in a header. */
const LONG = 'n'.repeat(90);

const unpack = suite('bundles: unpacking');

/** A small program as one has it: folders, an executable, links, a long name, a name in UTF-8. */
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
    unpack(`what Debian's tar makes as ${format}, packed by ${packing}`, async () => {
      const stage = await createBundlesHarness();
      const program = makeProgram(stage.folder);
      const file = join(stage.folder, 'made');
      tar('--format', format, '-cf', file, '-C', program, '.');
      const plain = readFileSync(file);
      const packed = packing === 'none' ? plain : packedBy(packing, plain);
      const wanted = stage.wanted(packed);
      assert.not(stage.store.has(wanted.sha256));
      await stage.store.fetchBundles([wanted], never);
      assert.ok(stage.store.has(wanted.sha256));
      const unpacked = stage.store.folderOf(wanted.sha256);
      assert.equal(treeOf(unpacked), EXPECTED);
      assert.is(statSync(unpacked).mode & 0o7777, 0o555);
      assert.is(statSync(join(unpacked, 'bin/app')).ino, statSync(join(unpacked, 'bin/same')).ino);
      assert.is(spawnSync(join(unpacked, 'run'), { encoding: 'utf8' }).stdout, 'works\n');
      assertClean(stage.bundles, [wanted.sha256]);
      await stage.remove();
    });
  }
}

/** By the tools themselves; where there is no zstd, by Node's. */
function packedBy(packing: string, plain: Buffer): Buffer {
  const { status, stdout } = spawnSync(packing, ['-c'], { input: plain, maxBuffer: 1 << 24 });
  if (status === 0) return stdout;
  return packing === 'gzip' ? gzipSync(plain) : zstdCompressSync(plain);
}

unpack('what is asked for again, is there, or is asked for twice, is unpacked once', async () => {
  const stage = await createBundlesHarness();
  const wanted = stage.wanted(archive({ name: 'a', content: 'A' }));
  await stage.store.fetchBundles([wanted, { ...wanted, subject: 'modules.n.bundle' }], never);
  await stage.store.fetchBundles([{ ...wanted, source: { path: '/nowhere' } }], never);
  assert.equal(stage.logged, [`modules.m.bundle: unpacking ${wanted.sha256}`]);
  await stage.remove();
});

unpack('a bundle of two modules must be within what both state', async () => {
  const stage = await createBundlesHarness();
  const wanted = stage.wanted(archive({ name: 'a', content: 'AAA' }));
  const prepared = stage.store.fetchBundles([wanted, { ...wanted, size: 2 }], never);
  assert.match(String(await prepared.catch(reasonOf)), /more than 2 bytes/);
  await stage.remove();
});

unpack('names without folders before them, remarks for all, and files before their folder', async () => {
  const stage = await createBundlesHarness();
  const remark = { ...extended({ comment: 'commit 1' }, 'g') };
  const wanted = stage.wanted(
    archive(
      remark,
      { name: 'd/e/f', content: 'F' },
      { name: './d/', type: '5', mode: 0o700 },
      { name: 'g', type: '0' },
    ),
  );
  await stage.store.fetchBundles([wanted], never);
  assert.equal(treeOf(stage.store.folderOf(wanted.sha256)), {
    d: '500 folder',
    'd/e': '555 folder',
    'd/e/f': '444 F',
    g: '444 ',
  });
  await stage.remove();
});

unpack('exactly the bytes and files that are stated', async () => {
  const stage = await createBundlesHarness();
  const bytes = archive({ name: 'd/a', content: 'x'.repeat(1000) }, { name: 'd/b', content: 'y'.repeat(24) });
  await stage.store.fetchBundles([stage.wanted(bytes, { size: 1024, files: 3 })], never);
  assert.ok(stage.store.has(sha256Of(bytes)));
  await stage.remove();
});

for (const [packing, packed] of [
  ['gzip', gzipSync(archive({ name: 'a', content: 'A' }))],
  ['zstd', zstdCompressSync(archive({ name: 'a', content: 'A' }))],
] as const) {
  unpack(`what fills a file up behind ${packing} is part of its hash, and of nothing else`, async () => {
    const stage = await createBundlesHarness();
    for (const length of [100, 600_000]) {
      const wanted = stage.wanted(Buffer.concat([packed, Buffer.alloc(length)]));
      await stage.store.fetchBundles([wanted], never);
      assert.equal(treeOf(stage.store.folderOf(wanted.sha256)), { a: '444 A' });
    }
    await stage.remove();
  });
}

unpack('a part of a file is read in place', async () => {
  const stage = await createBundlesHarness();
  const inner = gzipSync(archive({ name: 'a', content: 'A' }));
  const outer = Buffer.concat([Buffer.from('before'), inner, Buffer.from('behind')]);
  const { source } = stage.wanted(outer);
  assert.ok('path' in source);
  const part = { offset: 6, size: inner.length };
  await stage.store.fetchBundles([stage.wanted(inner, { source: { path: source.path, part } })], never);
  assert.equal(treeOf(stage.store.folderOf(sha256Of(inner))), { a: '444 A' });
  await stage.remove();
});

unpack(
  'what nobody needs is removed, though it cannot be written, and what is no bundle is left alone',
  async () => {
    const stage = await createBundlesHarness();
    const [one, two] = ['1', '2'].map(content => stage.wanted(archive({ name: 'd/e/f', content })));
    assert.ok(one && two);
    await stage.store.fetchBundles([one, two], never);
    writeFileSync(join(stage.bundles, 'note'), '');
    await stage.store.removeUnused(new Set([two.sha256]));
    assertClean(stage.bundles, [two.sha256, 'note']);
    await stage.store.removeUnused(new Set());
    assertClean(stage.bundles, ['note']);
    await stage.remove();
  },
);

unpack('one that is given up leaves nothing, and the next does not wait for it', async () => {
  const stage = await createBundlesHarness();
  const wanted = stage.wanted(archive({ name: 'a', content: Buffer.alloc(1 << 23) }), { size: 1 << 24 });
  const newer = stage.wanted(archive({ name: 'b', content: 'B' }));
  const controller = new AbortController();
  const given = stage.store.fetchBundles([wanted], controller.signal);
  const next = stage.store.fetchBundles([newer], never);
  const reason = new Error('a newer one is there');
  controller.abort(reason);
  assert.is(await given.catch((thrown: unknown) => thrown), reason);
  await next;
  assertClean(stage.bundles, [newer.sha256]);
  await stage.remove();
});

unpack('as a user without rights: unpacked, and removed again', async () => {
  if (process.getuid?.() !== 0) {
    process.stdout.write('\nskipped: a user without rights: it takes root to become one\n');
    return;
  }
  const stage = await createBundlesHarness();
  chmodSync(stage.folder, 0o777);
  const { sha256, source } = stage.wanted(archive({ name: 'd/e/f', content: 'F' }, entry({ name: 'g' })));
  assert.ok('path' in source);
  const child = join(import.meta.dirname, 'child.ts');
  const args = [child, stage.bundles, source.path, sha256, 'collect'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    uid: 65534,
    gid: 65534,
    encoding: 'utf8',
  });
  assert.is(status, 0, stderr);
  assert.is(stdout, 'prepared\ncollected\n');
  assertClean(stage.bundles, []);
  await stage.remove();
});

unpack.run();
