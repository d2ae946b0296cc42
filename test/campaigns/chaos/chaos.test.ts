import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killHub, killModules } from './chaos.ts';

/** Bytes of anonymous memory that the hub may hold more after a storm of ends and starts. */
const GROWTH = 8 << 20;

const chaos = suite('e2e: chaos');

chaos('modules that are killed at random leave neither processes nor open files nor memory', async () => {
  const { kills, left, before, after, code } = await killModules(30, 3_000, 1);
  assert.ok(kills >= 5, `${kills} kills`);
  assert.equal([left, code], [0, 0]);
  assert.ok(after.files <= before.files, `${before.files} files before, ${after.files} after`);
  assert.ok(
    after.anonymous - before.anonymous < GROWTH,
    `${before.anonymous} bytes, ${after.anonymous} after`,
  );
});

chaos(
  'a hub that is killed at random moments never runs a module twice, and leaves none behind',
  async () => {
    const { copies, left } = await killHub(10, 5, 2);
    assert.equal({ copies, left }, { copies: 1, left: 0 });
  },
);

chaos.run();
