import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { archive, sha256Of } from '../harness/bundles/archives.ts';
import { assertClean, createBundlesHarness, never, treeOf } from '../harness/bundles/bundles.ts';
import { REFUSED } from './refused.ts';

const good = archive({ name: 'a', content: 'A' });
const refusals = suite('bundles: refusals');

for (const [what, bytes, sentence] of REFUSED) {
  refusals(`${what}: one sentence, exit 2, and nothing is left`, async () => {
    const stage = await createBundlesHarness();
    const kept = stage.wanted(archive({ name: 'kept', content: 'K' }));
    await stage.store.fetchBundles([kept], never);
    const failure = await stage.refusal(stage.wanted(bytes, { files: 10 }));
    assert.is(failure.message, `modules.m.bundle ${sentence}`);
    assert.equal([failure.code, failure.exitCode], ['bundle.refused', 2]);
    assertClean(stage.bundles, [kept.sha256]);
    assert.equal(treeOf(stage.store.folderOf(kept.sha256)), { kept: '444 K' });
    await stage.remove();
  });
}

refusals('one bad bundle among good ones: none is unpacked', async () => {
  const stage = await createBundlesHarness();
  const bad = stage.wanted(archive({ name: '../x' }), { subject: 'modules.bad.bundle' });
  const failure = await stage.store.fetchBundles([stage.wanted(good), bad], never).catch(String);
  assert.is(failure, 'Failure: modules.bad.bundle holds "../x", a name with ".." in it.');
  assertClean(stage.bundles, []);
  assert.not(existsSync(join(stage.folder, 'x')));
  await stage.remove();
});

refusals('another file than the one that is stated is not looked into', async () => {
  const stage = await createBundlesHarness();
  const sha256 = sha256Of(Buffer.from('other'));
  const wanted = stage.wanted(gzipSync(archive({ name: '../x' })), { sha256 });
  const { code, exitCode, message } = await stage.refusal(wanted);
  assert.equal([code, exitCode], ['bundle.hash', 2]);
  assert.ok('path' in wanted.source);
  assert.match(message, `modules.m.bundle should have the SHA-256 ${sha256}, but ${wanted.source.path} has `);
  assert.match(message, /: it is corrupted, or another file\.$/);
  assertClean(stage.bundles, []);
  await stage.remove();
});

refusals('a file that is not there, that is none, or that is larger than it may be', async () => {
  const stage = await createBundlesHarness();
  const at = (path: string) => stage.refusal(stage.wanted(good, { source: { path } }));
  const gone = await at('/nowhere/app.tar');
  assert.is(gone.message, 'modules.m.bundle cannot be read from /nowhere/app.tar: no such file (ENOENT).');
  assert.equal([gone.code, gone.exitCode], ['bundle.missing', 2]);
  mkdirSync(join(stage.folder, 'd'));
  assert.match((await at(join(stage.folder, 'd'))).message, /: it is not a regular file\.$/);
  const large = await stage.refusal(stage.wanted(Buffer.alloc(2 << 20), { size: 1, files: 1 }));
  const sentence =
    'modules.m.bundle is a file of 2097152 bytes, more than the 1052673 that its "size" and "files" allow.';
  assert.is(large.message, sentence);
  await stage.remove();
});

refusals('a file that changes when it has been looked at: nothing of it is kept', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'skerry-changing-')), 'app.tar');
  const evil = archive({ name: 'a', content: 'B' });
  const stage = await createBundlesHarness(undefined, () => writeFileSync(path, evil));
  writeFileSync(path, good);
  const { code, message } = await stage.refusal(stage.wanted(good, { source: { path } }));
  assert.is(code, 'bundle.hash');
  assert.match(message, `${path} has ${sha256Of(evil)}`);
  assertClean(stage.bundles, []);
  await stage.remove();
});

refusals('no file is left open by any of it', async () => {
  const open = (): string[] => readdirSync('/proc/self/fd');
  const before = open().length;
  const stage = await createBundlesHarness();
  for (const [, bytes] of REFUSED) await stage.refusal(stage.wanted(bytes, { files: 10 }));
  assert.ok(open().length <= before, `${before} files were open, and ${open().length} are`);
  await stage.remove();
});

refusals.run();
