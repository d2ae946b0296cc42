import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killHub, killModules } from './chaos.ts';

/** Maximum growth of the anonymous memory of the hub in bytes. */
const MAX_GROWTH_BYTES = 8 << 20;

const chaos = suite('campaign: random kills of modules and hubs');

chaos('modules that are killed at random leave no processes, open files or memory in the hub', async () => {
  const { kills, left, before, after, code } = await killModules(30, 3_000, 1);
  assert.ok(kills >= 5, `${kills} kills`);
  assert.equal([left, code], [0, 0]);
  assert.ok(after.files <= before.files, `${before.files} files before, ${after.files} after`);
  assert.ok(
    after.anonymous - before.anonymous < MAX_GROWTH_BYTES,
    `${before.anonymous} bytes, ${after.anonymous} after`,
  );
});

chaos('a hub that is killed at random never runs a module twice and leaves no process', async () => {
  const { copies, left } = await killHub(10, 5, 2);
  assert.equal({ copies, left }, { copies: 1, left: 0 });
});

chaos.run();
