import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { archive } from '../harness/bundles/archives.ts';
import { assertClean, createBundlesHarness, never, treeOf } from '../harness/bundles/bundles.ts';

const FILES = 600;
const entries = Array.from({ length: FILES }, (_, n) => ({
  name: `d${n % 30}/e/f${n}`,
  content: `${n}`.repeat(500),
}));
const bytes = archive(...entries);

/**
 * Kills the child when `progress` has reached `minimum`, or when the child has printed a step. Resolves to
 * its output.
 */
async function killAt(args: readonly string[], progress: () => number, minimum: number): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), ...args]);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const closed = new Promise(resolve => child.once('close', resolve));
  while (progress() < minimum && output === '') await new Promise(done => setTimeout(done, 1));
  child.kill('SIGKILL');
  await closed;
  return output;
}

function countIn(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}

const power = suite('bundles: kill during unpacking');

/** Number of kills that happened during unpacking. */
let midway = 0;

for (const folders of [1, 7, 15, 29, 30]) {
  power(
    `after a SIGKILL when ${folders} of 30 folders are unpacked, the next start unpacks the bundle again`,
    async () => {
      const harness = await createBundlesHarness();
      const wanted = harness.wanted(bytes, { size: 1 << 28, files: 20_000 });
      assert.ok('path' in wanted.source);
      const draft = join(harness.bundles, '.part', `${wanted.sha256}.tmp`);
      const args = [harness.bundles, wanted.source.path, wanted.sha256];
      const output = await killAt(args, () => countIn(draft), folders);
      const whole = existsSync(join(harness.bundles, wanted.sha256));
      assert.ok(whole || output === '');
      if (existsSync(draft)) midway++;
      const next = await createBundlesHarness(harness.folder);
      assertClean(harness.bundles, whole ? [wanted.sha256] : []);
      await next.store.fetchBundles([wanted], never);
      const tree = treeOf(next.store.folderOf(wanted.sha256));
      assert.is(Object.keys(tree).length, FILES + 60);
      for (const { name, content } of entries) assert.is(tree[name], `444 ${content}`);
      await harness.remove();
    },
  );
}

power('at least three SIGKILLs of this file hit a process while it unpacks a bundle', () => {
  assert.ok(midway >= 3, `${midway} did`);
});

power(
  'a bundle whose removal SIGKILL has interrupted is treated as missing and can be unpacked again',
  async () => {
    const harness = await createBundlesHarness();
    const wanted = harness.wanted(bytes, { size: 1 << 28, files: 20_000 });
    assert.ok('path' in wanted.source);
    const target = harness.store.folderOf(wanted.sha256);
    let seen = false;
    const dropped = (): number => {
      seen ||= existsSync(target);
      return seen && !existsSync(target) ? 1 : 0;
    };
    const args = [harness.bundles, wanted.source.path, wanted.sha256, 'collect'];
    const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), ...args], {
      stdio: 'ignore',
    });
    const closed = new Promise(resolve => child.once('close', resolve));
    // On a busy machine the removal may end before the test notices the bundle.
    while (dropped() === 0 && child.exitCode === null) await new Promise(done => setTimeout(done, 1));
    child.kill('SIGKILL');
    await closed;
    const next = await createBundlesHarness(harness.folder);
    assertClean(harness.bundles, []);
    await next.store.fetchBundles([wanted], never);
    assert.is(Object.keys(treeOf(target)).length, FILES + 60);
    await harness.remove();
  },
);

power.run();
