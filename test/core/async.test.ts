import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { backoffMs } from '../../src/core/async/backoff.ts';
import { repeat } from '../../src/core/async/repeat.ts';
import { createTestClock } from '../harness/clock.ts';

const timers = suite('core: repeated and delayed actions');

timers('`repeat` runs an action once in each interval until the repetition is cancelled', () => {
  const clock = createTestClock();
  let runs = 0;
  const cancel = repeat(clock, 100, () => runs++);
  assert.is(runs, 0);
  clock.advance(100);
  clock.advance(100);
  assert.is(runs, 2);
  cancel();
  clock.advance(1_000);
  assert.is(runs, 2);
});

timers('`repeat` does not run an action again that has cancelled its own repetition', () => {
  const clock = createTestClock();
  let runs = 0;
  const cancel = repeat(clock, 100, () => {
    runs++;
    cancel();
  });
  clock.advance(1_000);
  assert.is(runs, 1);
});

timers('the back-off doubles with each failure and stays at its maximum', () => {
  const bounds = { initialMs: 100, maxMs: 1_000 };
  assert.equal(
    [0, 1, 2, 3, 4, 5_000].map(failures => backoffMs(failures, bounds)),
    [100, 200, 400, 800, 1_000, 1_000],
  );
});

timers.run();
