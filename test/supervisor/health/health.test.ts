import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { monitorHealth } from '../../../src/supervisor/health/health-monitor.ts';
import type { HealthSpec } from '../../../src/supervisor/spec.ts';
import { createTestClock } from '../../harness/clock.ts';
import { until, withSupervisor } from '../../harness/supervisor.ts';

const REPORTED: HealthSpec = {
  check: { kind: 'reported' },
  every: 1_000,
  timeout: 500,
  threshold: 3,
  readyWithin: 10_000,
};

const healthy = suite('supervisor: health');

/** Creates a health monitor for reported health that collects its events. */
function createMonitor(spec: Partial<HealthSpec> = {}) {
  const clock = createTestClock();
  const events: string[] = [];
  const health = monitorHealth({
    spec: { ...REPORTED, ...spec },
    clock,
    probe: undefined,
    onEvent: event => events.push(event),
  });
  return { clock, events, health };
}

healthy('a module that reports its health is unhealthy after the threshold of consecutive failures', () => {
  const { events, health } = createMonitor();
  health.report(true);
  health.report(true);
  health.report(false);
  health.report(false);
  health.report(true);
  health.report(false);
  health.report(false);
  assert.equal(events, ['healthy']);
  health.report(false);
  assert.equal(events, ['healthy', 'unhealthy']);
  health.report(true);
  assert.equal(events, ['healthy', 'unhealthy', 'healthy']);
});

healthy('failed health checks before the first successful check count only after readyWithin', () => {
  const { clock, events, health } = createMonitor();
  for (let times = 0; times < 9; times += 1) health.report(false);
  assert.equal(events, []);
  clock.advance(10_000);
  for (let times = 0; times < 3; times += 1) health.report(false);
  assert.equal(events, ['unhealthy']);
});

healthy('a module that sends no health report during `threshold` consecutive intervals is unhealthy', () => {
  const { clock, events, health } = createMonitor();
  health.report(true);
  clock.advance(2_999);
  assert.equal(events, ['healthy']);
  clock.advance(1);
  assert.equal(events, ['healthy', 'unhealthy']);
  health.stop();
  clock.advance(60_000);
  health.report(true);
  assert.equal(events, ['healthy', 'unhealthy']);
});

healthy(
  'a module that never reports its health is unhealthy after readyWithin plus `threshold` intervals',
  () => {
    const { clock, events } = createMonitor();
    clock.advance(12_999);
    assert.equal(events, []);
    clock.advance(1);
    assert.equal(events, ['unhealthy']);
  },
);

const QUICK = { every: 20, timeout: 2_000, threshold: 2, readyWithin: 5_000 };

healthy(
  'a module with an exec probe becomes ready, is restarted after the probe fails, and becomes ready again',
  () =>
    withSupervisor({}, async ({ supervisor, sh, status, changes, folder }) => {
      const good = join(folder, 'good');
      const health: HealthSpec = { ...QUICK, check: { kind: 'exec', exec: ['test', '-e', 'good'] } };
      const backoff = { first: 10, factor: 1, most: 10, forgivenAfter: 60_000 };
      void supervisor.start([sh('a', 'sleep 100', { restart: 'on-unhealthy', health, backoff })]);
      await until('it runs', () => changes.includes('a running'));
      assert.is(status('a').state, 'running');
      writeFileSync(good, '');
      await until('it is ready', () => status('a').state === 'ready');
      const { pid } = status('a');
      rmSync(good);
      await until('it is another process', () => ![undefined, pid].includes(status('a').pid));
      assert.ok(changes.includes('a failing') && changes.includes('a waiting'));
      writeFileSync(good, '');
      await until('it is ready again', () => status('a').state === 'ready');
      assert.is(status('a').restarts, 1);
    }),
);

healthy('an unhealthy module with restart policy on-failure keeps running and is not ready', () =>
  withSupervisor({}, async ({ supervisor, sh, status, folder, log }) => {
    const good = join(folder, 'good');
    writeFileSync(good, '');
    const health: HealthSpec = { ...QUICK, check: { kind: 'exec', exec: ['test', '-e', 'good'] } };
    await supervisor.start([sh('a', 'sleep 100', { restart: 'on-failure', health })]);
    assert.is(status('a').state, 'ready');
    const { pid } = status('a');
    rmSync(good);
    await until('it is not ready', () => status('a').state === 'running');
    assert.is(status('a').pid, pid);
    assert.ok(log.some(line => line.endsWith('Module "a" is unhealthy.')));
    writeFileSync(good, '');
    await until('it is ready again', () => status('a').state === 'ready');
  }),
);

healthy('a module with a TCP probe is healthy only if the probed port accepts a connection', () =>
  withSupervisor({}, async ({ supervisor, sh, status }) => {
    const server = await listening();
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const health: HealthSpec = { ...QUICK, check: { kind: 'tcp', port } };
    await supervisor.start([sh('a', 'sleep 100', { restart: 'never', health })]);
    assert.is(status('a').state, 'ready');
    await new Promise(done => server.close(done));
    await until('it is not ready', () => status('a').state === 'running');
  }),
);

healthy('a health report of one module for another module is ignored', () =>
  withSupervisor({}, async ({ supervisor, sh, status, changes }) => {
    const health: HealthSpec = { ...QUICK, every: 60_000, check: { kind: 'reported' } };
    void supervisor.start([sh('a', 'sleep 100', { health }), sh('b', 'sleep 100')]);
    await until('both run', () => changes.includes('a running') && changes.includes('b running'));
    supervisor.reportHealth('b', true);
    supervisor.reportHealth('nobody', true);
    supervisor.reportHealth('a', true);
    assert.equal([status('a').state, status('b').state], ['ready', 'running']);
  }),
);

healthy('a hanging exec probe is killed with its children at its timeout and counts as failed', () =>
  withSupervisor({}, async ({ supervisor, sh, status, folder }) => {
    const exec = ['sh', '-c', 'sleep 1000 & echo $! >> checks; wait'];
    const health: HealthSpec = { ...QUICK, timeout: 50, readyWithin: 0, check: { kind: 'exec', exec } };
    void supervisor.start([sh('a', 'sleep 100', { restart: 'never', health })]);
    const checks = join(folder, 'checks');
    await until('there were some', () => existsSync(checks) && pidsOf(checks).length > 2);
    await supervisor.stop();
    assert.is(status('a').state, 'stopped');
    await until('none is left', () => pidsOf(checks).every(pid => !existsSync(`/proc/${pid}`)));
  }),
);

healthy('later modules start after all earlier modules are ready or have exceeded readyWithin', () =>
  withSupervisor({}, async ({ supervisor, sh, status, changes, folder, log }) => {
    const exec = ['test', '-e', 'good'];
    const health: HealthSpec = { ...QUICK, check: { kind: 'exec', exec } };
    const never: HealthSpec = { ...health, readyWithin: 100, check: { kind: 'exec', exec: ['false'] } };
    const started = supervisor.start([
      sh('first', 'sleep 100', { startupOrder: 1, health, restart: 'never' }),
      sh('second', 'sleep 100', { startupOrder: 2, health: never, restart: 'never' }),
      sh('third', 'sleep 100', { startupOrder: 3 }),
    ]);
    await until('the first runs', () => changes.includes('first running'));
    assert.is(status('second').state, 'stopped');
    writeFileSync(join(folder, 'good'), '');
    await started;
    const order = changes.filter(change => / (ready|running)$/.test(change));
    assert.equal(order, ['first running', 'first ready', 'second running', 'third running']);
    assert.is(status('second').late, true);
    assert.ok(log.some(line => /"second" is not ready after 100 ms/.test(line)));
  }),
);

healthy('a module that fails to start does not delay the start of later modules', () =>
  withSupervisor({}, async ({ supervisor, sh, status }) => {
    const health: HealthSpec = { ...QUICK, readyWithin: 60_000, check: { kind: 'exec', exec: ['false'] } };
    await supervisor.start([
      sh('gone', 'exit 3', { startupOrder: 1, health, restart: 'never' }),
      sh('next', 'sleep 100', { startupOrder: 2 }),
    ]);
    assert.equal([status('gone').state, status('next').state], ['failed', 'running']);
  }),
);

function listening(): Promise<Server> {
  return new Promise(done => {
    const server = createServer(socket => socket.destroy());
    server.listen(0, '127.0.0.1', () => done(server));
  });
}

function pidsOf(file: string): number[] {
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).map(Number);
}

healthy('an exec probe that cannot be started counts as a failed check', () =>
  withSupervisor({}, async harness => {
    writeFileSync(join(harness.folder, 'file'), '');
    const check = { kind: 'exec', exec: ['./file/below'] } as const;
    const health = { ...REPORTED, check, threshold: 1, readyWithin: 0 };
    await harness.supervisor.start([harness.sh('a', 'exec sleep 100', { health, restart: 'on-failure' })]);
    await until('it was noticed', () => harness.log.some(line => line.includes('is unhealthy')));
    assert.is(harness.status('a').state, 'running');
  }),
);

healthy.run();
