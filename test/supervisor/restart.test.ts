import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleState, RestartPolicy } from '../../src/supervisor/spec.ts';
import { createTestClock } from '../harness/clock.ts';
import { advanceUntilDone, isRunning, until, withSupervisor } from '../harness/supervisor.ts';

/** Restart policy, script, expected state and exit status. */
const TABLE: readonly (readonly [RestartPolicy, string, ModuleState, string])[] = [
  ['never', 'exit 0', 'ended', 'exit 0'],
  ['never', 'exit 3', 'failed', 'exit 3'],
  ['never', 'kill -KILL $$', 'failed', 'SIGKILL'],
  ['on-failure', 'exit 0', 'ended', 'exit 0'],
  ['on-failure', 'exit 255', 'waiting', 'exit 255'],
  ['on-failure', 'kill -SEGV $$', 'waiting', 'SIGSEGV'],
  ['always', 'exit 0', 'waiting', 'exit 0'],
  ['always', 'exit 1', 'waiting', 'exit 1'],
  ['always', 'kill -TERM $$', 'waiting', 'SIGTERM'],
];

/** Initial back-off in milliseconds of the modules of the harness. */
const FIRST = 1_000;

/** Uptime in milliseconds that resets the back-off. */
const FORGIVEN_AFTER = 60_000;

const test = suite('supervisor: restart');

test('the state of a module after its exit depends on the exit and on the restart policy of the module', async () => {
  await withSupervisor({ clock: createTestClock() }, async ({ supervisor, sh, status }) => {
    await supervisor.start(TABLE.map(([restart, script], index) => sh(`m${index}`, script, { restart })));
    for (const [index, [restart, script, state, lastExit]] of TABLE.entries()) {
      await until(`${restart} after ${script} is ${state}`, () => status(`m${index}`).state === state);
      assert.is(status(`m${index}`).lastExit, lastExit);
    }
  });
});

test('the restart back-off doubles and is reset after the module has run for the configured time', async () => {
  const clock = createTestClock();
  await withSupervisor({ clock }, async ({ supervisor, sh, status }) => {
    const waits = async (milliseconds: number): Promise<void> => {
      await until('it waits', () => status('a').state === 'waiting');
      clock.advance(milliseconds - 1);
      assert.is(status('a').state, 'waiting');
      clock.advance(1);
      await until('it runs', () => status('a').state === 'running');
    };
    const kill = (): void => {
      const { pid } = status('a');
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    };
    await supervisor.start([sh('a', 'exec sleep 100', { restart: 'always' })]);
    for (const factor of [1, 2, 4]) {
      kill();
      await waits(FIRST * factor);
    }
    assert.is(status('a').restarts, 3);
    clock.advance(FORGIVEN_AFTER);
    assert.is(status('a').uptimeMs, FORGIVEN_AFTER);
    kill();
    await until(
      'it was started at once',
      () => status('a').restarts === 4 && status('a').state === 'running',
    );
    kill();
    await waits(FIRST);
    assert.is(status('a').restarts, 5);
  });
});

test('a restart on request skips and resets the restart back-off', async () => {
  const clock = createTestClock();
  await withSupervisor({ clock }, async ({ supervisor, sh, status }) => {
    await supervisor.start([sh('a', 'exit 1', { restart: 'on-failure' })]);
    for (const factor of [1, 2]) {
      await until('it waits', () => status('a').state === 'waiting');
      clock.advance(FIRST * factor);
      await until('it was started', () => status('a').restarts === factor);
    }
    await until('it waits', () => status('a').state === 'waiting');
    await supervisor.restart('a');
    await until('it waits', () => status('a').state === 'waiting');
    clock.advance(FIRST);
    assert.is(status('a').restarts, 3);
  });
});

test('a restart on request stops the process of a module and starts a new process', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status, changes }) => {
    await supervisor.start([sh('a', 'sleep 100')]);
    const before = status('a').pid ?? 0;
    await supervisor.restart('a');
    assert.not(isRunning(before));
    assert.is.not(status('a').pid, before);
    assert.equal(changes.slice(2), ['a restarting', 'a starting', 'a running']);
    assert.is(status('a').restarts, 0, 'a requested restart is not counted');
  });
});

test('a start request during the stop of a module restarts the module', async () => {
  await withSupervisor({}, async ({ supervisor, sh, status }) => {
    await supervisor.start([sh('a', 'sleep 100'), sh('b', 'sleep 100')]);
    await Promise.all([supervisor.stopModule('a'), supervisor.startModule('a')]);
    assert.is(status('a').state, 'running');
    await Promise.all([supervisor.restart('b'), supervisor.stopModule('b')]);
    assert.is(status('b').state, 'stopped');
  });
});

test('a restart kills a module that ignores the stop signal after its grace period', async () => {
  const clock = createTestClock();
  await withSupervisor({ clock }, async ({ supervisor, sh, status, texts }) => {
    await supervisor.start([sh('a', 'trap "" TERM; echo ready; while :; do sleep 0.01; done')]);
    await until('it is ready', () => texts().length === 1);
    const restarted = supervisor.restart('a');
    await advanceUntilDone(clock, restarted);
    assert.is(status('a').state, 'running');
    assert.is(status('a').lastExit, 'SIGKILL');
    await until('it is ready again', () => texts().length === 2);
  });
});

test.run();
