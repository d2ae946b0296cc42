import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skerry, until } from '../harness/binary.ts';
import type { World } from './world.ts';
import { commandOf, createWorld, good, HANGING, SAY } from './world.ts';

const signals = suite<{ world: World }>('update: signals and ends', { world: createWorld() });

signals.before.each(async context => {
  await context.world.close();
  context.world = createWorld();
});
signals.after(({ world }) => world.close());

const pidIn = (line = ''): number => Number(line.split(' ')[0]);

const UNTIL_TOLD = `trap 'echo "$$ told" >> "$RAN"; exit 0' TERM INT HUP; ${SAY}; while :; do sleep 1 & wait; done`;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  signals(`${signal} passes through the guard, and the exit code comes back`, async ({ world }) => {
    await world.onTrial(good(7));
    const hub = world.start();
    await until(`it is good, but: ${hub.log()}`, () => world.ran().length === 2);
    assert.is(await hub.end(signal), 7);
    assert.equal(world.ran()[2]?.split(' ')[1], signal);
    assert.is(commandOf(pidIn(world.ran()[0])), undefined);
  });
}

signals('a confirmed hub that is killed ends its guard as a shell tells it', async ({ world }) => {
  await world.onTrial(good());
  const hub = world.start();
  await until('it is good', () => world.ran().length === 2);
  process.kill(pidIn(world.ran()[0]), 'SIGKILL');
  assert.is(await hub.gone, 128 + 9);
  assert.is(world.noted().current, 'a');
});

signals(
  'a trial that is told to stop is taken up again, however often, and that counts for no failure',
  async ({ world }) => {
    await world.onTrial(UNTIL_TOLD);
    for (let round = 1; round <= 4; round++) {
      const hub = world.start();
      await world.ranOften(2 * round - 1);
      assert.is(await hub.end(), 0);
      assert.is(world.ran().length, 2 * round);
      assert.is(world.noted().trial?.tries, 1);
    }
  },
);

signals('one that ends badly when it is told to stop has failed', async ({ world }) => {
  await world.onTrial(`${SAY}; trap "exit 4" TERM; while :; do sleep 1 & wait; done`);
  for (let round = 1; round <= 3; round++) {
    const hub = world.start();
    await world.ranOften(round);
    assert.is(await hub.end(), 4);
  }
  const hub = world.start();
  await hub.listens();
  assert.is(world.ran().length, 3);
  assert.match(world.noted().returned?.reason ?? '', /^it was not healthy in 3 starts/);
});

signals('one that hangs does not keep the guard from ending when it is told to stop', async ({ world }) => {
  await world.onTrial(HANGING, { starts: 3, seconds: 2, grace: 1 });
  const hub = world.start();
  await world.ranOften(1);
  assert.is(await hub.end(), 128 + 9);
  assert.is(commandOf(pidIn(world.ran()[0])), undefined);
  assert.is(world.noted().trial?.tries, 1);
});

signals('a hub on trial whose guard is killed ends by itself', async ({ world }) => {
  await world.onTrial(good());
  const hub = world.start();
  await until('it is good', () => world.ran().length === 2);
  await hub.end('SIGKILL');
  await until('it has seen it', () => world.ran().length === 3);
  assert.match(world.ran()[2] ?? '', /orphaned$/);
});

signals('the built binary on trial ends by itself when its guard is killed', async ({ world }) => {
  await world.onTrial(`${SAY}; exec ${skerry} "$@"`);
  const hub = world.start();
  await hub.listens();
  await hub.end('SIGKILL');
  await until('it is gone', () => commandOf(pidIn(world.ran()[0])) === undefined);
  assert.match(hub.log(), /Stopping because the watchdog process of this trial start has exited\./);
});

signals('what hangs and lost its guard is killed by the next start, which goes on', async ({ world }) => {
  await world.onTrial(HANGING);
  const first = world.start();
  await world.ranOften(1);
  await first.end('SIGKILL');
  const second = world.start();
  await until('it is killed', () => commandOf(pidIn(world.ran()[0])) === undefined, 30);
  await world.ranOften(2);
  assert.is(world.noted().trial?.tries, 2);
  process.kill(pidIn(world.ran()[1]), 'SIGKILL');
  await second.end();
});

signals('a second start while a hub is on trial is refused, and counts nothing', async ({ world }) => {
  await world.onTrial(UNTIL_TOLD);
  const first = world.start();
  await world.ranOften(1);
  const second = world.start();
  assert.is(await second.gone, 1);
  assert.match(second.log(), new RegExp(`updates itself \\(pid ${first.pid}\\): stop it`));
  assert.is(world.noted().trial?.tries, 1);
  assert.is(await first.end(), 0);
});

signals('three power cuts are three starts', async ({ world }) => {
  await world.onTrial(HANGING);
  for (let round = 1; round <= 3; round++) {
    const hub = world.start();
    await world.ranOften(round);
    process.kill(pidIn(world.ran()[round - 1]), 'SIGSTOP');
    await hub.end('SIGKILL');
    process.kill(pidIn(world.ran()[round - 1]), 'SIGKILL');
  }
  const hub = world.start();
  await hub.listens();
  assert.is(world.noted().returned?.reason, 'it was not healthy in 3 starts: the last start was cut off');
});

signals.run();
