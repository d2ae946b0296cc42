import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { archive, sha256Of } from '../harness/bundles/archives.ts';
import { createBundlesHarness } from '../harness/bundles/bundles.ts';

const MEGABYTES = 100;

/** Maximum MB of memory for unpacking, beyond the memory of an idle process. */
const ALLOWED = 60;

const memory = suite('bundles: memory');

/** Unpacks in a separate process. Returns its peak memory in MB and its duration in seconds. */
function measured(bundles: string, path: string): { peak: number; seconds: number } {
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
  return { peak: Number(stdout.split('\n')[1]) / 1024, seconds: (performance.now() - start) / 1000 };
}

for (const packing of ['gzip -1', 'zstd -q -3 -c']) {
  memory(
    `a bundle of ${MEGABYTES} MB is unpacked from ${packing} with less than ${ALLOWED} MB of memory`,
    async () => {
      const [program = '', ...args] = packing.split(' ');
      if (spawnSync(program, ['--version']).error !== undefined) {
        process.stdout.write(`\nskipped: memory: there is no ${program}\n`);
        return;
      }
      const harness = await createBundlesHarness();
      // Longer than the windows of gzip and of fast zstd.
      const noise = randomBytes(MEGABYTES << 18);
      const content = Buffer.concat([noise, noise, noise, noise]);
      const packed = spawnSync(program, args, { input: archive({ name: 'f', content }), maxBuffer: 1 << 30 });
      const large = join(harness.folder, 'large');
      writeFileSync(large, packed.stdout);
      const small = join(harness.folder, 'small');
      writeFileSync(small, archive({ name: 'f', content: 'F' }));
      const base = measured(harness.bundles, small);
      const { peak, seconds } = measured(harness.bundles, large);
      process.stdout.write(
        `\n${packing}: ${(peak - base.peak).toFixed(1)} MB more, ${(seconds - base.seconds).toFixed(1)} s\n`,
      );
      assert.ok(peak - base.peak < ALLOWED, `${peak - base.peak} MB`);
      await harness.remove();
    },
  );
}

memory.run();
