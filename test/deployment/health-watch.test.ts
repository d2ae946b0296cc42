import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watchUntilHealthy } from '../../src/deployment/health-watch.ts';
import type { ModulesHealth } from '../../src/deployment/module-health.ts';
import { createTestClock } from '../harness/clock.ts';

const HEALTHY: ModulesHealth = { kind: 'healthy', restarts: 0 };
const PENDING: ModulesHealth = { kind: 'pending', waitsFor: 'module "m" is starting' };
const UNHEALTHY: ModulesHealth = { kind: 'unhealthy', reason: 'Module "m" has failed: exit 3.' };

/** Starts a watch with a health window of 10 s within 60 s. The test changes the health. */
function startWatch(first: ModulesHealth, keepWaiting = false) {
  const clock = createTestClock();
  const abort = new AbortController();
  const listeners = new Set<() => void>();
  let current = first;
  let result = 'none';
  const watched = watchUntilHealthy({
    clock,
    health: () => current,
    onStatusChange: changed => {
      listeners.add(changed);
      return () => listeners.delete(changed);
    },
    healthyFor: 10_000,
    within: 60_000,
    keepWaiting,
    signal: abort.signal,
  }).then(
    () => {
      result = 'healthy';
    },
    (thrown: Error) => {
      result = thrown.message;
    },
  );
  return {
    /** Advances the clock, then changes the health. Returns the result so far. */
    after: async (seconds: number, next = current): Promise<string> => {
      clock.advance(seconds * 1000);
      current = next;
      for (const changed of [...listeners]) changed();
      await new Promise(done => setImmediate(done));
      return result;
    },
    abortWatch: async (): Promise<void> => {
      abort.abort(new Error('left'));
      await watched;
    },
    /** Number of pending timers and listeners. */
    left: () => clock.pending() + listeners.size,
  };
}

const watch = suite('deployments: health watch');

watch('a deployment whose modules are healthy becomes healthy at the end of the health window', async () => {
  const { after, left } = startWatch(HEALTHY);
  assert.is(await after(9.9), 'none');
  assert.is(await after(0.1), 'healthy');
  assert.is(left(), 0);
});

watch(
  'the health window of a deployment starts again after a module was not healthy for a moment',
  async () => {
    const { after } = startWatch(PENDING);
    assert.is(await after(5, HEALTHY), 'none');
    assert.is(await after(9, PENDING), 'none');
    assert.is(await after(1, HEALTHY), 'none');
    assert.is(await after(9.9), 'none');
    assert.is(await after(0.1), 'healthy');
  },
);

watch('a deployment with restarted modules has a longer health window', async () => {
  const { after } = startWatch({ kind: 'healthy', restarts: 2 });
  assert.is(await after(29), 'none');
  assert.is(await after(1), 'healthy');
});

watch('a deployment with an unhealthy module fails without waiting for the time limit', async () => {
  const { after, left } = startWatch(PENDING);
  assert.is(await after(3, UNHEALTHY), 'Module "m" has failed: exit 3.');
  assert.is(left(), 0);
  assert.is(await startWatch(UNHEALTHY).after(0), 'Module "m" has failed: exit 3.');
});

watch('a deployment that is not healthy within its time limit fails with the reason', async () => {
  const { after, left } = startWatch(PENDING);
  assert.is(await after(59.9), 'none');
  assert.is(await after(0.1), 'It was not healthy within 60 s: module "m" is starting.');
  assert.is(left(), 0);
  const flapping = startWatch(PENDING);
  await flapping.after(55, HEALTHY);
  assert.is(await flapping.after(5), 'It was not healthy within 60 s: it was not healthy for long enough.');
});

watch(
  'a health watch with keepWaiting continues after a module becomes unhealthy and after the time limit',
  async () => {
    const { after } = startWatch(UNHEALTHY, true);
    assert.is(await after(86_400, PENDING), 'none');
    assert.is(await after(86_400, HEALTHY), 'none');
    assert.is(await after(10), 'healthy');
  },
);

watch('a health watch ends when its AbortSignal is aborted', async () => {
  const { after, abortWatch, left } = startWatch(PENDING);
  await abortWatch();
  assert.is(await after(0), 'left');
  assert.is(left(), 0);
});

watch.run();
