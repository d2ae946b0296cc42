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
import type { UpdateHarness } from './update-harness.ts';
import { commandOf, createUpdateHarness, FAILING, HANGING, healthyHub, LIMITS } from './update-harness.ts';

const trial = suite<{ harness: UpdateHarness }>('self-update: trial', { harness: createUpdateHarness() });

trial.before.each(async context => {
  await context.harness.close();
  context.harness = createUpdateHarness();
});
trial.after(({ harness }) => harness.close());

const pidIn = (line = ''): number => Number(line.split(' ')[0]);

trial(
  'a new hub that exits at its start is started three times, then the old hub runs and logs the reason',
  async ({ harness }) => {
    await harness.onTrial(FAILING);
    const hub = harness.start();
    await hub.listens();
    assert.is(harness.recorded().length, 3);
    assert.ok(
      harness
        .recorded()
        .every(line => line.endsWith(` up ${harness.folder}/manifest.json --data ${harness.data}`)),
    );
    const sentence = 'it was not healthy in 3 starts: the last start exited with code 3';
    assert.match(
      hub.log(),
      new RegExp(
        `error hub: The new hub binary, version 9.9.9, failed its trial: ${sentence}\\. Rolled back`,
      ),
    );
    const { current, returned, slots } = harness.readState();
    assert.is(current, 'base');
    assert.equal(returned, { sha256: slots.a?.sha256, version: '9.9.9', reason: sentence });
    const launched = { running: 'base' } as const;
    assert.equal(trialState(harness.data, launched), { kind: 'returned', ...returned });
    clearFailedUpdate(harness.data);
    assert.equal(trialState(harness.data, launched), { kind: 'none' });
    assert.is(await hub.end(), 0);
    const next = harness.start();
    await next.listens();
    assert.is(harness.recorded().length, 3);
    assert.not.match(next.log(), /failed its trial/);
  },
);

trial('a new hub that hangs is killed after its time limit, and the old hub runs', async ({ harness }) => {
  await harness.onTrial(HANGING, { starts: 3, seconds: 2, grace: 1 });
  const hub = harness.start();
  await hub.listens();
  assert.is(harness.recorded().length, 1);
  assert.is(commandOf(pidIn(harness.recorded()[0])), undefined);
  assert.is(harness.readState().returned?.reason, 'it was not healthy within 2 seconds');
});

trial('the time limit of a trial covers all its starts', async ({ harness }) => {
  await harness.onTrial('echo x >> "$RAN"; sleep 1.5; exit 1', { starts: 9, seconds: 4, grace: 1 });
  const hub = harness.start();
  await hub.listens();
  assert.is(harness.recorded().length, 2);
  assert.is(
    harness.readState().returned?.reason,
    'it was not healthy within 4 seconds: the last start exited with code 1',
  );
});

trial(
  'a confirmed hub binary becomes the current one, and the next start runs it without a watchdog',
  async ({ harness }) => {
    await harness.onTrial(healthyHub());
    const hub = harness.start();
    await until(`it is good, but: ${hub.log()}`, () => harness.recorded().length === 2);
    const pid = pidIn(harness.recorded()[0]);
    assert.is.not(pid, hub.pid);
    assert.is(commandOf(hub.pid)?.[0], '/bin/sh');
    assert.equal([harness.readState().current, harness.readState().trial], ['a', undefined]);
    assert.is(await hub.end(), 0);
    assert.is(commandOf(pid), undefined);
    const next = harness.start();
    await until('it runs again', () => harness.recorded().length === 4 + 1);
    assert.is(pidIn(harness.recorded()[3]), next.pid);
    assert.equal(commandOf(next.pid)?.slice(1, 3), [harness.paths.binary('a'), 'up']);
    assert.is(harness.readState().guard, undefined);
    assert.is(await next.end(), 0);
  },
);

trial(
  'a failing hub binary in update slot b is rolled back to the hub binary in slot a',
  async ({ harness }) => {
    await harness.onTrial(healthyHub());
    const first = harness.start();
    await until('it is good', () => harness.recorded().length === 2);
    await first.end();
    await harness.onTrial(FAILING, LIMITS, 'b', 'a');
    const second = harness.start();
    await until(
      'the previous hub runs',
      () => harness.recorded().at(-1)?.endsWith(' good') === true && harness.recorded().length > 4,
    );
    assert.is(pidIn(harness.recorded().at(-1)), second.pid);
    assert.equal(
      [harness.readState().current, harness.readState().returned?.sha256],
      ['a', harness.readState().slots.b?.sha256],
    );
    assert.match(harness.readState().returned?.reason ?? '', /code 3/);
    await second.end();
  },
);

trial('the built binary on trial keeps running after the trial is confirmed', async ({ harness }) => {
  await harness.onTrial(`exec ${skerry} "$@"`);
  const hub = harness.start();
  await hub.listens();
  const launched = { running: 'a', watchdog: hub.pid } as const;
  const { a } = harness.readState().slots;
  assert.equal(trialState(harness.data, launched), { kind: 'on-trial', sha256: a?.sha256, try: 1, of: 3 });
  assert.equal(runningBinary(harness.data, launched), { binary: 'a', sha256: a?.sha256 });
  confirmTrial(harness.data, launched);
  assert.equal(trialState(harness.data, launched), { kind: 'none' });
  assert.is(await hub.end(), 0);
});

trial(
  'a copy of the built binary that was staged and confirmed runs at the next start',
  async ({ harness }) => {
    const content = () => createReadStream(skerry);
    const sha256 = await sha256Of(skerry);
    const base = { running: 'base' } as const;
    const staged = await stageHub(harness.data, base, { sha256, content });
    await beginTrial({ dataFolder: harness.data, launched: base, program: skerry, staged });
    const hub = harness.start();
    await hub.listens();
    confirmTrial(harness.data, { running: 'a', watchdog: hub.pid });
    assert.is(await hub.end(), 0);
    const next = harness.start();
    await next.listens();
    assert.is(readlinkSync(`/proc/${next.pid}/exe`), harness.paths.binary('a'));
    await until('it is up', () => !existsSync(harness.paths.starting));
    assert.is(await next.end(), 0);
  },
);

trial(
  'the watchdog keeps running when a confirmed hub hands over to another new hub binary',
  async ({ harness }) => {
    const staged = { slot: 'b', ...harness.writeSlot('b', healthyHub()) };
    const before = `
    if (watchdog !== undefined) {
      confirmTrial(DATA, launched);
      const staged = ${JSON.stringify(staged)};
      await beginTrial({ dataFolder: DATA, launched, program: '-', staged, limits: ${JSON.stringify(LIMITS)} });
      process.exit(75);
    }`;
    await harness.onTrial(healthyHub(0, before));
    const hub = harness.start();
    await until(
      `the second is good, but: ${hub.log()}`,
      () => harness.recorded().at(-1)?.endsWith(' good') === true,
    );
    assert.is(harness.recorded().length, 3);
    assert.equal([harness.readState().current, harness.readState().guard?.pid], ['b', hub.pid]);
    assert.is(commandOf(hub.pid)?.includes(harness.paths.binary('b')), true);
    assert.is(await hub.end(), 0);
  },
);

trial(
  'a new hub on trial that reports its own failure is rolled back with the reported reason',
  async ({ harness }) => {
    await harness.onTrial(
      healthyHub(0, "failTrial(DATA, launched, 'its modules are not well'); process.exit(75);"),
    );
    const hub = harness.start();
    await hub.listens();
    assert.is(harness.recorded().length, 1);
    assert.is(harness.readState().returned?.reason, 'its modules are not well');
  },
);

trial('an undo of a trial before its first start restores the previous update state', async ({ harness }) => {
  const beginning = { dataFolder: harness.data, program: skerry, limits: LIMITS };
  const first = { slot: 'a', ...harness.writeSlot('a', FAILING) } as const;
  const undoFirst = await beginTrial({ ...beginning, launched: { running: 'base' }, staged: first });
  const before = harness.readState();
  const second = { slot: 'b', ...harness.writeSlot('b', FAILING) } as const;
  const undoSecond = await beginTrial({ ...beginning, launched: { running: 'a' }, staged: second });
  assert.is(harness.readState().trial?.slot, 'b');
  undoSecond();
  assert.equal(harness.readState().trial, before.trial);
  assert.is(harness.readState().current, 'base');
  undoFirst();
  assert.is(harness.readState().trial, undefined);
  const hub = harness.start();
  await hub.listens();
  assert.equal(harness.recorded(), []);
});

trial.run();
