import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { watchUntilHealthy } from '../../src/deployment/health-watch.ts';
import type { ModulesHealth } from '../../src/deployment/module-health.ts';
import { createTestClock } from '../harness/clock.ts';

const HEALTHY: ModulesHealth = { kind: 'healthy', restarts: 0 };
const PENDING: ModulesHealth = { kind: 'pending', waitsFor: 'module "m" is starting' };
const UNHEALTHY: ModulesHealth = { kind: 'unhealthy', reason: 'Module "m" has failed: exit 3.' };

/** A set whose verdict a test changes, well for 10 s within 60 s. */
function stage(first: ModulesHealth, patient = false) {
  const clock = createTestClock();
  const abort = new AbortController();
  const hearers = new Set<() => void>();
  let verdict = first;
  let ending = 'none';
  const watched = watchUntilHealthy({
    clock,
    health: () => verdict,
    onStatusChange: changed => {
      hearers.add(changed);
      return () => hearers.delete(changed);
    },
    healthyFor: 10_000,
    within: 60_000,
    keepWaiting: patient,
    signal: abort.signal,
  }).then(
    () => {
      ending = 'healthy';
    },
    (thrown: Error) => {
      ending = thrown.message;
    },
  );
  return {
    /** Lets so many seconds pass, then changes the verdict; how it has ended by then. */
    after: async (seconds: number, next = verdict): Promise<string> => {
      clock.advance(seconds * 1000);
      verdict = next;
      for (const changed of [...hearers]) changed();
      await new Promise(done => setImmediate(done));
      return ending;
    },
    leave: async (): Promise<void> => {
      abort.abort(new Error('left'));
      await watched;
    },
    /** Timers and hearers that are left. */
    left: () => clock.pending() + hearers.size,
  };
}

const watch = suite('deployments: watch');

watch('well for long enough', async () => {
  const { after, left } = stage(HEALTHY);
  assert.is(await after(9.9), 'none');
  assert.is(await after(0.1), 'healthy');
  assert.is(left(), 0);
});

watch('a break begins the time anew', async () => {
  const { after } = stage(PENDING);
  assert.is(await after(5, HEALTHY), 'none');
  assert.is(await after(9, PENDING), 'none');
  assert.is(await after(1, HEALTHY), 'none');
  assert.is(await after(9.9), 'none');
  assert.is(await after(0.1), 'healthy');
});

watch('one that was restarted must hold out longer', async () => {
  const { after } = stage({ kind: 'healthy', restarts: 2 });
  assert.is(await after(29), 'none');
  assert.is(await after(1), 'healthy');
});

watch('bad: at once', async () => {
  const { after, left } = stage(PENDING);
  assert.is(await after(3, UNHEALTHY), 'Module "m" has failed: exit 3.');
  assert.is(left(), 0);
  assert.is(await stage(UNHEALTHY).after(0), 'Module "m" has failed: exit 3.');
});

watch('late: why', async () => {
  const { after, left } = stage(PENDING);
  assert.is(await after(59.9), 'none');
  assert.is(await after(0.1), 'It was not healthy within 60 s: module "m" is starting.');
  assert.is(left(), 0);
  const flutters = stage(PENDING);
  await flutters.after(55, HEALTHY);
  assert.is(await flutters.after(5), 'It was not healthy within 60 s: it was not healthy for long enough.');
});

watch('patience: neither bad nor late ends it', async () => {
  const { after } = stage(UNHEALTHY, true);
  assert.is(await after(86_400, PENDING), 'none');
  assert.is(await after(86_400, HEALTHY), 'none');
  assert.is(await after(10), 'healthy');
});

watch('it is left by its signal', async () => {
  const { after, leave, left } = stage(PENDING);
  await leave();
  assert.is(await after(0), 'left');
  assert.is(left(), 0);
});

watch.run();
