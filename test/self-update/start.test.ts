import {
  chmodSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { beginTrial } from '../../src/self-update/trial.ts';
import type { SpawnedHub } from '../harness/binary.ts';
import { skerry, until } from '../harness/binary.ts';
import type { World } from './world.ts';
import { BROKEN, createWorld, good, LIMITS } from './world.ts';

const starts = suite<{ world: World }>('update: which binary is started', { world: createWorld() });

starts.before.each(async context => {
  await context.world.close();
  context.world = createWorld();
});
starts.after(({ world }) => world.close());

/** Has a good hub in slot a in use, updated from `program`. */
async function updated(world: World, program = skerry): Promise<void> {
  const staged = { slot: 'a', ...world.put('a', good()) } as const;
  await beginTrial({
    dataFolder: world.data,
    launched: { running: 'base' },
    program,
    staged,
    limits: LIMITS,
  });
  const hub = world.start(program);
  await until(`it is good, but: ${hub.log()}`, () => world.ran().length === 2);
  await hub.end();
}

async function runsUpdated(world: World, program?: string): Promise<SpawnedHub> {
  const before = world.ran().length;
  const hub = world.start(program);
  await until(`it runs, but: ${hub.log()}`, () => world.ran().length === before + 2);
  return hub;
}

async function runsBase(world: World, sentence: RegExp, program?: string): Promise<void> {
  const before = world.ran().length;
  const hub = world.start(program);
  await hub.listens();
  assert.match(hub.log(), sentence);
  assert.is(world.ran().length, before);
  await hub.end();
}

starts('a binary that was installed anew takes over, and updates are forgotten', async ({ world }) => {
  const own = join(world.folder, 'skerry');
  copyFileSync(skerry, own);
  await updated(world, own);
  // A byte more is another program, and runs all the same.
  writeFileSync(`${own}.new`, Buffer.concat([readFileSync(own), Buffer.from('\n')]), { mode: 0o755 });
  renameSync(`${own}.new`, own);
  await runsBase(
    world,
    /skerry was installed after the update, so it runs, and the update is removed\./,
    own,
  );
  assert.not(existsSync(world.places.folder));
});

starts('the same binary installed again, or from another path, is no other one', async ({ world }) => {
  const own = join(world.folder, 'skerry');
  copyFileSync(skerry, own);
  await updated(world, own);
  utimesSync(own, 1, 1);
  await (await runsUpdated(world, own)).end();
  assert.is(world.noted().base.changed, 1000);
  await (await runsUpdated(world, skerry)).end();
  assert.is(world.noted().base.path, skerry);
});

starts('a slot that is cut short, or gone, or that others may write, is not run', async ({ world }) => {
  await updated(world);
  const file = world.places.binary('a');
  chmodSync(file, 0o777);
  await runsBase(
    world,
    /a\/skerry is writable by other users or owned by another, so the installed hub, .*, runs: apply the update again\./,
  );
  chmodSync(file, 0o644);
  await runsBase(world, /a\/skerry cannot be run \(EACCES.*apply the update again\./);
  chmodSync(file, 0o755);
  await (await runsUpdated(world)).end();
  truncateSync(file, 100);
  await runsBase(world, /a\/skerry is corrupted, so the installed hub/);
  rmSync(file);
  await runsBase(world, /a\/skerry cannot be run \(ENOENT/);
});

starts('a slot with a changed byte is found after a start of it that failed', async ({ world }) => {
  await updated(world);
  const file = world.places.binary('a');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('const { append', 'cxnst { append'));
  const hub = world.start();
  assert.is(await hub.gone, 1);
  await runsBase(world, /a\/skerry is corrupted, so the installed hub/);
  writeFileSync(file, text);
  await (await runsUpdated(world)).end();
});

starts('a slot that is damaged before its trial is returned from at once', async ({ world }) => {
  await world.onTrial(good());
  const file = world.places.binary('a');
  writeFileSync(file, readFileSync(file, 'utf8').replace('append', 'aqpend'));
  await runsBase(
    world,
    /The new hub, 9\.9\.9, failed its trial: .*a\/skerry is corrupted\. Rolled back to the previous hub\./,
  );
  assert.match(world.noted().returned?.reason ?? '', /is corrupted$/);
});

starts('a note that is damaged is said, and the hub that was installed runs', async ({ world }) => {
  await updated(world);
  const whole = readFileSync(world.places.state, 'utf8');
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '{}',
    whole.replace('"a"', '"c"'),
    whole.replace('"base"', '"bxse"'),
  ]) {
    writeFileSync(world.places.state, text);
    await runsBase(
      world,
      /state\.json cannot be used \(.+\), so the installed hub runs: apply the update again\./,
    );
  }
  writeFileSync(world.places.state, whole);
  await (await runsUpdated(world)).end();
});

starts('a hub that was never updated looks for one file and makes none', async ({ world }) => {
  await runsBase(world, / listens on /);
  assert.not(existsSync(world.places.folder));
});

starts('a mark that a hub is launched leads to no further launch', async ({ world }) => {
  await world.onTrial(BROKEN);
  process.env['SKERRY_SLOT'] = world.places.binary('a');
  try {
    await runsBase(world, / listens on /);
  } finally {
    delete process.env['SKERRY_SLOT'];
  }
  assert.is(world.noted().trial?.tries, 0);
});

starts.run();
