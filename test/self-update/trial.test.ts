import { createReadStream, existsSync, readlinkSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sha256Of } from '../../src/self-update/binary.ts';
import { stageHub } from '../../src/self-update/stage.ts';
import {
  beginTrial,
  clearFailedUpdate,
  confirmTrial,
  runningBinary,
  trialState,
} from '../../src/self-update/trial.ts';
import { skerry, until } from '../harness/binary.ts';
import type { World } from './world.ts';
import { BROKEN, commandOf, createWorld, good, HANGING, LIMITS } from './world.ts';

const trial = suite<{ world: World }>('update: a trial', { world: createWorld() });

trial.before.each(async context => {
  await context.world.close();
  context.world = createWorld();
});
trial.after(({ world }) => world.close());

const pidIn = (line = ''): number => Number(line.split(' ')[0]);

trial(
  'a new hub that exits at once is started three times; then the old one runs, and says why',
  async ({ world }) => {
    await world.onTrial(BROKEN);
    const hub = world.start();
    await hub.listens();
    assert.is(world.ran().length, 3);
    assert.ok(
      world.ran().every(line => line.endsWith(` up ${world.folder}/manifest.json --data ${world.data}`)),
    );
    const sentence = 'it was not healthy in 3 starts: the last start exited with code 3';
    assert.match(
      hub.log(),
      new RegExp(`error hub: The new hub, 9.9.9, failed its trial: ${sentence}\\. Rolled back`),
    );
    const { current, returned, slots } = world.noted();
    assert.is(current, 'base');
    assert.equal(returned, { sha256: slots.a?.sha256, version: '9.9.9', reason: sentence });
    const launched = { running: 'base' } as const;
    assert.equal(trialState(world.data, launched), { kind: 'returned', ...returned });
    clearFailedUpdate(world.data);
    assert.equal(trialState(world.data, launched), { kind: 'none' });
    assert.is(await hub.end(), 0);
    const next = world.start();
    await next.listens();
    assert.is(world.ran().length, 3);
    assert.not.match(next.log(), /failed its trial/);
  },
);

trial('a new hub that hangs is killed after its time, and the old one runs', async ({ world }) => {
  await world.onTrial(HANGING, { starts: 3, seconds: 2, grace: 1 });
  const hub = world.start();
  await hub.listens();
  assert.is(world.ran().length, 1);
  assert.is(commandOf(pidIn(world.ran()[0])), undefined);
  assert.is(world.noted().returned?.reason, 'it was not healthy within 2 seconds');
});

trial('the time of a trial is counted over its starts', async ({ world }) => {
  await world.onTrial('echo x >> "$RAN"; sleep 1.5; exit 1', { starts: 9, seconds: 4, grace: 1 });
  const hub = world.start();
  await hub.listens();
  assert.is(world.ran().length, 2);
  assert.is(
    world.noted().returned?.reason,
    'it was not healthy within 4 seconds: the last start exited with code 1',
  );
});

trial('a good one stays; the next start goes straight to it, without a guard', async ({ world }) => {
  await world.onTrial(good());
  const hub = world.start();
  await until(`it is good, but: ${hub.log()}`, () => world.ran().length === 2);
  const pid = pidIn(world.ran()[0]);
  assert.is.not(pid, hub.pid);
  assert.is(commandOf(hub.pid)?.[0], '/bin/sh');
  assert.equal([world.noted().current, world.noted().trial], ['a', undefined]);
  assert.is(await hub.end(), 0);
  assert.is(commandOf(pid), undefined);
  const next = world.start();
  await until('it runs again', () => world.ran().length === 4 + 1);
  assert.is(pidIn(world.ran()[3]), next.pid);
  assert.equal(commandOf(next.pid)?.slice(1, 3), [world.places.binary('a'), 'up']);
  assert.is(world.noted().guard, undefined);
  assert.is(await next.end(), 0);
});

trial('from one slot to the other, and back to that one when the new one is bad', async ({ world }) => {
  await world.onTrial(good());
  const first = world.start();
  await until('it is good', () => world.ran().length === 2);
  await first.end();
  await world.onTrial(BROKEN, LIMITS, 'b', 'a');
  const second = world.start();
  await until(
    'the one of before runs',
    () => world.ran().at(-1)?.endsWith(' good') === true && world.ran().length > 4,
  );
  assert.is(pidIn(world.ran().at(-1)), second.pid);
  assert.equal([world.noted().current, world.noted().returned?.sha256], ['a', world.noted().slots.b?.sha256]);
  assert.match(world.noted().returned?.reason ?? '', /code 3/);
  await second.end();
});

trial(
  'the built binary as a new hub is told that it is on trial, and runs on once it is confirmed',
  async ({ world }) => {
    await world.onTrial(`exec ${skerry} "$@"`);
    const hub = world.start();
    await hub.listens();
    const launched = { running: 'a', watchdog: hub.pid } as const;
    const { a } = world.noted().slots;
    assert.equal(trialState(world.data, launched), { kind: 'on-trial', sha256: a?.sha256, try: 1, of: 3 });
    assert.equal(runningBinary(world.data, launched), { binary: 'a', sha256: a?.sha256 });
    confirmTrial(world.data, launched);
    assert.equal(trialState(world.data, launched), { kind: 'none' });
    assert.is(await hub.end(), 0);
  },
);

trial(
  'a copy of the built binary is staged, tried and confirmed, and the next start is that one',
  async ({ world }) => {
    const content = () => createReadStream(skerry);
    const sha256 = await sha256Of(skerry);
    const base = { running: 'base' } as const;
    const staged = await stageHub(world.data, base, { sha256, content });
    await beginTrial({ dataFolder: world.data, launched: base, program: skerry, staged });
    const hub = world.start();
    await hub.listens();
    confirmTrial(world.data, { running: 'a', watchdog: hub.pid });
    assert.is(await hub.end(), 0);
    const next = world.start();
    await next.listens();
    assert.is(readlinkSync(`/proc/${next.pid}/exe`), world.places.binary('a'));
    await until('it is up', () => !existsSync(world.places.starting));
    assert.is(await next.end(), 0);
  },
);

trial('a new hub that hands over to another one keeps its guard', async ({ world }) => {
  const staged = { slot: 'b', ...world.put('b', good()) };
  const before = `
    if (watchdog !== undefined) {
      confirmTrial(DATA, launched);
      const staged = ${JSON.stringify(staged)};
      await beginTrial({ dataFolder: DATA, launched, program: '-', staged, limits: ${JSON.stringify(LIMITS)} });
      process.exit(75);
    }`;
  await world.onTrial(good(0, before));
  const hub = world.start();
  await until(`the second is good, but: ${hub.log()}`, () => world.ran().at(-1)?.endsWith(' good') === true);
  assert.is(world.ran().length, 3);
  assert.equal([world.noted().current, world.noted().guard?.pid], ['b', hub.pid]);
  assert.is(commandOf(hub.pid)?.includes(world.places.binary('b')), true);
  assert.is(await hub.end(), 0);
});

trial('a new hub that gives itself up says why', async ({ world }) => {
  await world.onTrial(good(0, "failTrial(DATA, launched, 'its modules are not well'); process.exit(75);"));
  const hub = world.start();
  await hub.listens();
  assert.is(world.ran().length, 1);
  assert.is(world.noted().returned?.reason, 'its modules are not well');
});

trial(
  'a trial that is taken back before it began leaves what was noted, that of another hub too',
  async ({ world }) => {
    const beginning = { dataFolder: world.data, program: skerry, limits: LIMITS };
    const first = { slot: 'a', ...world.put('a', BROKEN) } as const;
    const undoFirst = await beginTrial({ ...beginning, launched: { running: 'base' }, staged: first });
    const before = world.noted();
    const second = { slot: 'b', ...world.put('b', BROKEN) } as const;
    const undoSecond = await beginTrial({ ...beginning, launched: { running: 'a' }, staged: second });
    assert.is(world.noted().trial?.slot, 'b');
    undoSecond();
    assert.equal(world.noted().trial, before.trial);
    assert.is(world.noted().current, 'base');
    undoFirst();
    assert.is(world.noted().trial, undefined);
    const hub = world.start();
    await hub.listens();
    assert.equal(world.ran(), []);
  },
);

trial.run();
