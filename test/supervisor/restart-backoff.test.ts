import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nextBackoff } from '../../src/supervisor/restart-backoff.ts';

const SPEC = { first: 1_000, factor: 2, most: 60_000, forgivenAfter: 60_000 };

const test = suite('supervisor: restart back-off');

test('the restart back-off doubles up to its maximum', () => {
  const delays: number[] = [];
  let ends = 0;
  for (let end = 0; end < 2_000; end += 1) {
    const backoff = nextBackoff(ends, 0, SPEC);
    delays.push(backoff.delay);
    ends = backoff.ends;
  }
  assert.equal(
    delays.slice(0, 4),
    [1, 2, 4, 8].map(factor => factor * SPEC.first),
  );
  assert.is(delays[6], SPEC.most);
  assert.is(delays.at(-1), SPEC.most);
});

test('the restart back-off is reset only after the module has run for the configured time', () => {
  assert.equal(nextBackoff(5, SPEC.forgivenAfter, SPEC), { ends: 0, delay: 0 });
  assert.is(nextBackoff(0, 0, SPEC).delay, SPEC.first);
  assert.is(nextBackoff(2, SPEC.forgivenAfter - 1, SPEC).delay, SPEC.first * 4);
});

test('initial delay, factor, maximum and reset of the back-off are configurable', () => {
  const spec = { first: 200, factor: 3, most: 1_000, forgivenAfter: 5_000 };
  assert.equal(
    [0, 1, 2, 3].map(ends => nextBackoff(ends, 0, spec).delay),
    [200, 600, 1_000, 1_000],
  );
  assert.is(nextBackoff(3, 5_000, spec).delay, 0);
  assert.is(nextBackoff(2, 0, { ...spec, factor: 1 }).delay, 200);
});

test.run();
