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
 * Ends the child when so many of its folders are there, or when it has gone so far as to give the bundle its
 * name.
 */
async function killAt(args: readonly string[], progress: () => number, least: number): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), ...args]);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const gone = new Promise(resolve => child.once('close', resolve));
  while (progress() < least && output === '') await new Promise(done => setTimeout(done, 1));
  child.kill('SIGKILL');
  await gone;
  return output;
}

function countIn(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}

const power = suite('bundles: a kill in the middle');

/** Kills that met it while it was unpacking. */
let midway = 0;

for (const folders of [1, 7, 15, 29, 30]) {
  power(
    `SIGKILL when ${folders} of 30 folders are there: the next start is clean, and unpacks it`,
    async () => {
      const stage = await createBundlesHarness();
      const wanted = stage.wanted(bytes, { size: 1 << 28, files: 20_000 });
      assert.ok('path' in wanted.source);
      const draft = join(stage.bundles, '.part', `${wanted.sha256}.tmp`);
      const args = [stage.bundles, wanted.source.path, wanted.sha256];
      const output = await killAt(args, () => countIn(draft), folders);
      const whole = existsSync(join(stage.bundles, wanted.sha256));
      assert.ok(whole || output === '');
      if (existsSync(draft)) midway++;
      const next = await createBundlesHarness(stage.folder);
      assertClean(stage.bundles, whole ? [wanted.sha256] : []);
      await next.store.fetchBundles([wanted], never);
      const tree = treeOf(next.store.folderOf(wanted.sha256));
      assert.is(Object.keys(tree).length, FILES + 60);
      for (const { name, content } of entries) assert.is(tree[name], `444 ${content}`);
      await stage.remove();
    },
  );
}

power('most of these kills met it while it was unpacking', () => {
  assert.ok(midway >= 3, `${midway} did`);
});

power('SIGKILL while what nobody needs is removed: it is gone, or whole', async () => {
  const stage = await createBundlesHarness();
  const wanted = stage.wanted(bytes, { size: 1 << 28, files: 20_000 });
  assert.ok('path' in wanted.source);
  const target = stage.store.folderOf(wanted.sha256);
  let seen = false;
  const dropped = (): number => {
    seen ||= existsSync(target);
    return seen && !existsSync(target) ? 1 : 0;
  };
  const args = [stage.bundles, wanted.source.path, wanted.sha256, 'collect'];
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.ts'), ...args], {
    stdio: 'ignore',
  });
  const gone = new Promise(resolve => child.once('close', resolve));
  // On a busy machine it may be over before it was seen.
  while (dropped() === 0 && child.exitCode === null) await new Promise(done => setTimeout(done, 1));
  child.kill('SIGKILL');
  await gone;
  const next = await createBundlesHarness(stage.folder);
  assertClean(stage.bundles, []);
  await next.store.fetchBundles([wanted], never);
  assert.is(Object.keys(treeOf(target)).length, FILES + 60);
  await stage.remove();
});

power.run();
