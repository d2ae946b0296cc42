import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createTestClock } from '../../harness/clock.ts';
import {
  advanceUntilDone,
  createRealClock,
  isRunning,
  openFiles,
  pidIn,
  until,
  withSupervisor,
} from '../../harness/supervisor.ts';

const test = suite('supervisor: stop');

test('the status of a module that exits on the stop signal names the signal', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status, changes }) => {
    await supervisor.start([sh('a', 'sleep 100', { restart: 'always' })]);
    await supervisor.stopModule('a');
    assert.equal(changes, ['a starting', 'a running', 'a stopping', 'a stopped']);
    assert.is(status('a').lastExit, 'SIGTERM');
    assert.is(status('a').pid, undefined);
    assert.is(status('a').uptimeMs, undefined);
  });
});

test('a module is stopped by its configured signal, and lines that it prints before its exit are delivered', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status, texts }) => {
    const script = 'trap "echo bye; exit 7" INT; echo ready; while :; do sleep 0.01; done';
    await supervisor.start([sh('a', script, { stopSignal: 'SIGINT' })]);
    await until('it is ready', () => texts().length === 1);
    await supervisor.stopModule('a');
    assert.equal(texts(), ['ready', 'bye']);
    assert.is(status('a').lastExit, 'exit 7');
    assert.is(status('a').state, 'stopped');
  });
});

test('a module that ignores the stop signal is killed after its grace period, not earlier', async () => {
  const clock = createTestClock();
  await withSupervisor({ clock }, async ({ supervisor, sh, status, texts, changes, log }) => {
    const script = 'trap "echo no" TERM; echo ready; while :; do sleep 0.01; done';
    await supervisor.start([sh('a', script, { stopGrace: 10_000 })]);
    await until('it is ready', () => texts().length === 1);
    const stopped = supervisor.stopModule('a');
    await until('it had the signal', () => texts().length === 2);
    clock.advance(9_999);
    assert.is(status('a').state, 'stopping');
    clock.advance(1);
    assert.is(status('a').state, 'killing');
    await advanceUntilDone(clock, stopped);
    assert.is(status('a').lastExit, 'SIGKILL');
    assert.equal(changes.slice(-3), ['a stopping', 'a killing', 'a stopped']);
    assert.ok(log.some(text => text.includes('did not stop within 10000 ms')));
    assert.is(clock.pending(), 0);
  });
});

test('descendants of a module that ignore the stop signal are killed with the module', async () => {
  const inner = 'trap "" TERM; echo $$ > inner; while :; do sleep 0.01; done';
  const script = `sh -c '${inner}' > /dev/null 2>&1 & echo $! > outer; sh -c "sleep 100 & wait" & wait`;
  await withSupervisor({}, async ({ supervisor, sh, folder, status }) => {
    await supervisor.start([sh('a', script)]);
    const children = [await pidIn(folder, 'inner'), await pidIn(folder, 'outer')];
    await supervisor.stopModule('a');
    assert.is(status('a').lastExit, 'SIGTERM');
    assert.equal(children.filter(isRunning), []);
  });
});

test('the process group of a module is killed if only the group leader exits', async () => {
  await withSupervisor({}, async ({ supervisor, sh, folder, status }) => {
    const script = '(trap "" TERM; sleep 100) > /dev/null 2>&1 & echo $! > child; exit 0';
    await supervisor.start([sh('a', script)]);
    const child = await pidIn(folder, 'child');
    await until('it has ended', () => status('a').state === 'ended');
    assert.not(isRunning(child));
  });
});

/** Script that starts a daemon with its own session, without a parent and with closed streams. */
const DAEMON = `setsid sh -c 'trap "" TERM; echo $$ > daemon; exec sleep 100' > /dev/null 2>&1 &
`;

for (const [how, script] of [
  ['is stopped', 'sh daemon.sh; sleep 100'],
  ['exits by itself', 'sh daemon.sh; while [ ! -e go ]; do sleep 0.01; done'],
] as const) {
  test(`a daemon that left the process group is killed if its module ${how}`, async () => {
    await withSupervisor({}, async ({ supervisor, sh, folder, status }) => {
      writeFileSync(join(folder, 'daemon.sh'), DAEMON);
      await supervisor.start([sh('a', script), sh('b', 'setsid sleep 100 & echo $! > other; wait')]);
      const daemon = await pidIn(folder, 'daemon');
      const other = await pidIn(folder, 'other');
      assert.ok(isRunning(daemon));
      if (how === 'is stopped') await supervisor.stopModule('a');
      else writeFileSync(join(folder, 'go'), '');
      await until('it is down', () => ['stopped', 'ended'].includes(status('a').state));
      assert.not(isRunning(daemon));
      assert.ok(isRunning(other), 'the daemon of another module stays');
    });
  });
}

test('the supervisor stops modules in reverse startup order', async () => {
  await withSupervisor({}, async ({ supervisor, sh, changes }) => {
    const slow = 'trap "sleep 0.05; exit" TERM; while :; do sleep 0.01; done';
    const specs = [
      sh('first', 'sleep 100', { startupOrder: 0 }),
      sh('one', slow, { startupOrder: 1 }),
      sh('other', slow, { startupOrder: 1 }),
      sh('last', slow, { startupOrder: 2 }),
    ];
    await supervisor.start(specs);
    changes.length = 0;
    const [one, two] = [supervisor.stop(), supervisor.stop()];
    await Promise.all([one, two]);
    await supervisor.stop();
    assert.equal(changes.slice(0, 4), ['last stopping', 'last stopped', 'one stopping', 'other stopping']);
    assert.equal(changes.slice(4, 6).sort(), ['one stopped', 'other stopped']);
    assert.equal(changes.slice(6), ['first stopping', 'first stopped']);
  });
});

test('a stop of the supervisor during the start of the first module prevents the start of later modules', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status }) => {
    const started = supervisor.start([
      sh('first', 'sleep 100', { startupOrder: 0 }),
      sh('last', 'sleep 100', { startupOrder: 1 }),
    ]);
    await until('the first starts', () => supervisor.statuses().some(({ state }) => state !== 'stopped'));
    await supervisor.stop();
    await started;
    assert.equal([status('first').state, status('last').state], ['stopped', 'stopped']);
    const refused = await supervisor.startModule('first').catch((error: unknown) => error);
    assert.match(refused instanceof Error ? refused.message : '', /the hub is shutting down/);
    assert.is(status('first').state, 'stopped');
  });
});

test('a module in restart back-off stops without waiting for the back-off', async () => {
  const clock = createTestClock();
  await withSupervisor({ clock }, async ({ supervisor, sh, status }) => {
    await supervisor.start([sh('a', 'exit 1', { restart: 'always' })]);
    await until('it waits', () => status('a').state === 'waiting');
    await supervisor.stop();
    assert.is(status('a').state, 'stopped');
    assert.is(clock.pending(), 0);
  });
});

test('the stop of fifty modules leaves no process, file descriptor or timer', async () => {
  const clock = createRealClock();
  const before = openFiles();
  await withSupervisor({ clock }, async ({ supervisor, sh, status }) => {
    const names = Array.from({ length: 50 }, (_, index) => `m${index}`);
    const script = 'echo hello >&2; echo hello; sleep 100 & cat';
    await supervisor.start(names.map((name, index) => sh(name, script, { startupOrder: index % 3 })));
    const pids = names.map(name => status(name).pid ?? 0);
    assert.ok(pids.every(isRunning));
    await supervisor.stop();
    assert.equal(pids.filter(isRunning), []);
    assert.is(clock.pending(), 0);
  });
  assert.is(openFiles(), before);
});

test.run();
