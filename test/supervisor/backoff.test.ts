import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RESTART_DELAY_FIRST, RESTART_DELAY_MOST, RESTART_FORGIVEN_AFTER } from '../../src/core/limits.ts';
import { backoffAfter } from '../../src/supervisor/backoff.ts';

const test = suite('backoff');

test('the wait doubles with every end until it is at its most', () => {
  const delays: number[] = [];
  let ends = 0;
  for (let end = 0; end < 2_000; end += 1) {
    const backoff = backoffAfter(ends, 0);
    delays.push(backoff.delay);
    ends = backoff.ends;
  }
  assert.equal(
    delays.slice(0, 4),
    [1, 2, 4, 8].map(factor => factor * RESTART_DELAY_FIRST),
  );
  assert.is(delays[6], RESTART_DELAY_MOST);
  assert.is(delays.at(-1), RESTART_DELAY_MOST);
});

test('a stable run forgets the ends before it, a shorter one does not', () => {
  assert.equal(backoffAfter(5, RESTART_FORGIVEN_AFTER), { ends: 1, delay: RESTART_DELAY_FIRST });
  assert.is(backoffAfter(2, RESTART_FORGIVEN_AFTER - 1).delay, RESTART_DELAY_FIRST * 4);
});

test.run();
