import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { skerry, until } from '../harness/binary.ts';
import type { UpdateHarness } from './update-harness.ts';
import { commandOf, createUpdateHarness, HANGING, healthyHub, RECORD } from './update-harness.ts';

const signals = suite<{ harness: UpdateHarness }>('self-update: signals and exits', {
  harness: createUpdateHarness(),
});

signals.before.each(async context => {
  await context.harness.close();
  context.harness = createUpdateHarness();
});
signals.after(({ harness }) => harness.close());

const pidIn = (line = ''): number => Number(line.split(' ')[0]);

const UNTIL_STOPPED = `trap 'echo "$$ told" >> "$RAN"; exit 0' TERM INT HUP; ${RECORD}; while :; do sleep 1 & wait; done`;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  signals(
    `${signal} to the watchdog reaches the hub, and the watchdog returns the exit code of the hub`,
    async ({ harness }) => {
      await harness.onTrial(healthyHub(7));
      const hub = harness.start();
      await until(`it is good, but: ${hub.log()}`, () => harness.recorded().length === 2);
      assert.is(await hub.end(signal), 7);
      assert.equal(harness.recorded()[2]?.split(' ')[1], signal);
      assert.is(commandOf(pidIn(harness.recorded()[0])), undefined);
    },
  );
}

signals(
  'the watchdog of a confirmed hub exits with 128 plus the signal number if the hub is killed',
  async ({ harness }) => {
    await harness.onTrial(healthyHub());
    const hub = harness.start();
    await until('it is good', () => harness.recorded().length === 2);
    process.kill(pidIn(harness.recorded()[0]), 'SIGKILL');
    assert.is(await hub.gone, 128 + 9);
    assert.is(harness.readState().current, 'a');
  },
);

signals(
  'a trial that SIGTERM interrupts continues at the next start, and no failure is counted',
  async ({ harness }) => {
    await harness.onTrial(UNTIL_STOPPED);
    for (let round = 1; round <= 4; round++) {
      const hub = harness.start();
      await harness.untilRecorded(2 * round - 1);
      assert.is(await hub.end(), 0);
      assert.is(harness.recorded().length, 2 * round);
      assert.is(harness.readState().trial?.tries, 1);
    }
  },
);

signals(
  'a start of a hub on trial counts as failed if the hub exits with an error on SIGTERM',
  async ({ harness }) => {
    await harness.onTrial(`${RECORD}; trap "exit 4" TERM; while :; do sleep 1 & wait; done`);
    for (let round = 1; round <= 3; round++) {
      const hub = harness.start();
      await harness.untilRecorded(round);
      assert.is(await hub.end(), 4);
    }
    const hub = harness.start();
    await hub.listens();
    assert.is(harness.recorded().length, 3);
    assert.match(harness.readState().returned?.reason ?? '', /^it was not healthy in 3 starts/);
  },
);

signals('the watchdog exits after SIGTERM, also if its hub hangs', async ({ harness }) => {
  await harness.onTrial(HANGING, { starts: 3, seconds: 2, grace: 1 });
  const hub = harness.start();
  await harness.untilRecorded(1);
  assert.is(await hub.end(), 128 + 9);
  assert.is(commandOf(pidIn(harness.recorded()[0])), undefined);
  assert.is(harness.readState().trial?.tries, 1);
});

signals('a hub on trial exits when its watchdog is killed', async ({ harness }) => {
  await harness.onTrial(healthyHub());
  const hub = harness.start();
  await until('it is good', () => harness.recorded().length === 2);
  await hub.end('SIGKILL');
  await until('it has seen it', () => harness.recorded().length === 3);
  assert.match(harness.recorded()[2] ?? '', /orphaned$/);
});

signals('the built binary on trial exits when its watchdog is killed', async ({ harness }) => {
  await harness.onTrial(`${RECORD}; exec ${skerry} "$@"`);
  const hub = harness.start();
  await hub.listens();
  await hub.end('SIGKILL');
  await until('it is gone', () => commandOf(pidIn(harness.recorded()[0])) === undefined);
  assert.match(hub.log(), /Stopping because the watchdog process of this trial start has exited\./);
});

signals(
  'the next start kills a hub that hangs without its watchdog, and continues the trial',
  async ({ harness }) => {
    await harness.onTrial(HANGING);
    const first = harness.start();
    await harness.untilRecorded(1);
    await first.end('SIGKILL');
    const second = harness.start();
    await until('it is killed', () => commandOf(pidIn(harness.recorded()[0])) === undefined, 30);
    await harness.untilRecorded(2);
    assert.is(harness.readState().trial?.tries, 2);
    process.kill(pidIn(harness.recorded()[1]), 'SIGKILL');
    await second.end();
  },
);

signals('a second hub that is started during a trial is refused', async ({ harness }) => {
  await harness.onTrial(UNTIL_STOPPED);
  const first = harness.start();
  await harness.untilRecorded(1);
  const second = harness.start();
  assert.is(await second.gone, 1);
  assert.match(second.log(), new RegExp(`updates itself \\(pid ${first.pid}\\): stop it`));
  assert.is(harness.readState().trial?.tries, 1);
  assert.is(await first.end(), 0);
});

signals('a trial is rolled back after a power cut has ended three of its starts', async ({ harness }) => {
  await harness.onTrial(HANGING);
  for (let round = 1; round <= 3; round++) {
    const hub = harness.start();
    await harness.untilRecorded(round);
    process.kill(pidIn(harness.recorded()[round - 1]), 'SIGSTOP');
    await hub.end('SIGKILL');
    process.kill(pidIn(harness.recorded()[round - 1]), 'SIGKILL');
  }
  const hub = harness.start();
  await hub.listens();
  assert.is(
    harness.readState().returned?.reason,
    'it was not healthy in 3 starts: the last start was cut off',
  );
});

signals.run();
