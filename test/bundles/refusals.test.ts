import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { archive, sha256Of } from '../harness/bundles/archives.ts';
import { assertClean, createBundlesHarness, never, treeOf } from '../harness/bundles/bundles.ts';
import { REFUSED } from './refused.ts';

const valid = archive({ name: 'a', content: 'A' });
const refusals = suite('bundles: refusals');

for (const [what, bytes, sentence] of REFUSED) {
  refusals(
    `a bundle with ${what} is refused with one error and exit code 2, and leaves no file`,
    async () => {
      const harness = await createBundlesHarness();
      const kept = harness.wanted(archive({ name: 'kept', content: 'K' }));
      await harness.store.fetchBundles([kept], never);
      const failure = await harness.refusal(harness.wanted(bytes, { files: 10 }));
      assert.is(failure.message, `modules.m.bundle ${sentence}`);
      assert.equal([failure.code, failure.exitCode], ['bundle.refused', 2]);
      assertClean(harness.bundles, [kept.sha256]);
      assert.equal(treeOf(harness.store.folderOf(kept.sha256)), { kept: '444 K' });
      await harness.remove();
    },
  );
}

refusals('no bundle of a manifest is unpacked if one of its bundles is invalid', async () => {
  const harness = await createBundlesHarness();
  const invalid = harness.wanted(archive({ name: '../x' }), { subject: 'modules.invalid.bundle' });
  const failure = await harness.store.fetchBundles([harness.wanted(valid), invalid], never).catch(String);
  assert.is(failure, 'Failure: modules.invalid.bundle holds "../x", a name with ".." in it.');
  assertClean(harness.bundles, []);
  assert.not(existsSync(join(harness.folder, 'x')));
  await harness.remove();
});

refusals('a bundle file whose hash differs from the manifest is refused and not unpacked', async () => {
  const harness = await createBundlesHarness();
  const sha256 = sha256Of(Buffer.from('other'));
  const wanted = harness.wanted(gzipSync(archive({ name: '../x' })), { sha256 });
  const { code, exitCode, message } = await harness.refusal(wanted);
  assert.equal([code, exitCode], ['bundle.hash', 2]);
  assert.ok('path' in wanted.source);
  assert.match(message, `modules.m.bundle should have the SHA-256 ${sha256}, but ${wanted.source.path} has `);
  assert.match(message, /: it is corrupted, or another file\.$/);
  assertClean(harness.bundles, []);
  await harness.remove();
});

refusals('a bundle whose file is missing, is a folder or is larger than the limit is refused', async () => {
  const harness = await createBundlesHarness();
  const at = (path: string) => harness.refusal(harness.wanted(valid, { source: { path } }));
  const gone = await at('/nowhere/app.tar');
  assert.is(gone.message, 'modules.m.bundle cannot be read from /nowhere/app.tar: no such file (ENOENT).');
  assert.equal([gone.code, gone.exitCode], ['bundle.missing', 2]);
  mkdirSync(join(harness.folder, 'd'));
  assert.match((await at(join(harness.folder, 'd'))).message, /: it is not a regular file\.$/);
  const large = await harness.refusal(harness.wanted(Buffer.alloc(2 << 20), { size: 1, files: 1 }));
  const sentence =
    'modules.m.bundle is a file of 2097152 bytes, more than the 1052673 that its "size" and "files" allow.';
  assert.is(large.message, sentence);
  await harness.remove();
});

refusals('a bundle file that changes after its verification is refused and leaves no file', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'skerry-changing-')), 'app.tar');
  const evil = archive({ name: 'a', content: 'B' });
  const harness = await createBundlesHarness(undefined, () => writeFileSync(path, evil));
  writeFileSync(path, valid);
  const { code, message } = await harness.refusal(harness.wanted(valid, { source: { path } }));
  assert.is(code, 'bundle.hash');
  assert.match(message, `${path} has ${sha256Of(evil)}`);
  assertClean(harness.bundles, []);
  await harness.remove();
});

refusals('a refused bundle leaves no file open', async () => {
  const open = (): string[] => readdirSync('/proc/self/fd');
  const before = open().length;
  const harness = await createBundlesHarness();
  for (const [, bytes] of REFUSED) await harness.refusal(harness.wanted(bytes, { files: 10 }));
  assert.ok(open().length <= before, `${before} files were open, and ${open().length} are`);
  await harness.remove();
});

refusals.run();
