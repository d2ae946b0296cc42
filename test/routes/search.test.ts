import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { positionOf } from '../../src/routes/code/search.ts';

const search = suite('routes: search');

search('`positionOf` finds a long pattern in a text with many partial matches', () => {
  const run = 'a'.repeat(1000);
  assert.is(positionOf(`${'a'.repeat(100_000)}b${run}`, `${run}b${run}`), 99_000);
  assert.is(positionOf(`${'a'.repeat(100_000)}b${run}`, `${run}c${run}`), -1);
  assert.is(positionOf(run, `${run}a`), -1);
});

search('`positionOf` returns the same position as `indexOf` for short and long patterns', () => {
  const runs = fc.array(fc.constantFrom('a', 'b', 'ab', 'aab', 'a'.repeat(130)), { maxLength: 40 });
  const texts = runs.map(pieces => pieces.join(''));
  const property = fc.property(texts, texts, texts, fc.boolean(), (before, part, after, inside) => {
    const text = inside ? before + part + after : before + after;
    assert.is(positionOf(text, part), text.indexOf(part));
  });
  fc.assert(property, { numRuns: 2000 });
});

search.run();
