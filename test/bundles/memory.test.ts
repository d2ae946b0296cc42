import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { archive, sha256Of } from '../harness/bundles/archives.ts';
import { createBundlesHarness } from '../harness/bundles/bundles.ts';

const MEGABYTES = 100;

/** MB that unpacking may hold beyond what the process has anyway. */
const ALLOWED = 60;

const memory = suite('bundles: memory');

/** The most that a process of its own has held, in MB, and its seconds. */
function measured(bundles: string, path: string): { held: number; seconds: number } {
  const start = performance.now();
  const args = [
    join(import.meta.dirname, 'child.ts'),
    bundles,
    path,
    sha256Of(readFileSync(path)),
    'measure',
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.is(status, 0, stderr);
  return { held: Number(stdout.split('\n')[1]) / 1024, seconds: (performance.now() - start) / 1000 };
}

for (const packing of ['gzip -1', 'zstd -q -3 -c']) {
  memory(`${MEGABYTES} MB are unpacked from ${packing} in little memory`, async () => {
    const [program = '', ...args] = packing.split(' ');
    if (spawnSync(program, ['--version']).error !== undefined) {
      process.stdout.write(`\nskipped: memory: there is no ${program}\n`);
      return;
    }
    const stage = await createBundlesHarness();
    // Too long for the window of gzip, and for that of a quick zstd in its later half.
    const noise = randomBytes(MEGABYTES << 18);
    const content = Buffer.concat([noise, noise, noise, noise]);
    const packed = spawnSync(program, args, { input: archive({ name: 'f', content }), maxBuffer: 1 << 30 });
    const large = join(stage.folder, 'large');
    writeFileSync(large, packed.stdout);
    const small = join(stage.folder, 'small');
    writeFileSync(small, archive({ name: 'f', content: 'F' }));
    const base = measured(stage.bundles, small);
    const { held, seconds } = measured(stage.bundles, large);
    process.stdout.write(
      `\n${packing}: ${(held - base.held).toFixed(1)} MB more, ${(seconds - base.seconds).toFixed(1)} s\n`,
    );
    assert.ok(held - base.held < ALLOWED, `${held - base.held} MB`);
    await stage.remove();
  });
}

memory.run();
