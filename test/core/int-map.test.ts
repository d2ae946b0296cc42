import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createIntMap } from '../../src/core/collections/int-map.ts';

const numbered = suite('core: map with integer keys');

/** Few small numbers, multiples of 65,536, and the largest safe integers. */
const number = fc.oneof(
  fc.nat(40),
  fc.nat(40).map(n => n * 65_536),
  fc.nat(40).map(n => Number.MAX_SAFE_INTEGER - n),
);
const change = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), number, thing: fc.string() }),
  fc.record({ kind: fc.constant('delete' as const), number }),
);

numbered('an IntMap has the same entries as a Map after the same random changes', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300, size: 'max' }), changes => {
      const table = createIntMap<string>();
      const model = new Map<number, string>();
      for (const one of changes) {
        if (one.kind === 'set') {
          table.set(one.number, one.thing);
          model.set(one.number, one.thing);
        } else {
          assert.is(table.delete(one.number), model.get(one.number));
          model.delete(one.number);
        }
        assert.is(table.size(), model.size);
      }
      assert.equal([...table.values()].sort(), [...model.values()].sort());
      for (const [known, thing] of model) {
        assert.ok(table.has(known));
        assert.is(table.get(known), thing);
      }
      for (let other = 0; other < 41; other++) assert.is(table.has(other), model.has(other));
    }),
  );
});

numbered('an IntMap does not grow while new keys are added and the oldest keys are deleted', () => {
  const table = createIntMap<number>();
  for (let n = 0; n < 100_000; n++) {
    table.set(n, n);
    if (n >= 64) assert.is(table.delete(n - 64), n - 64);
  }
  assert.is(table.size(), 64);
  for (let n = 0; n < 100_000; n++) table.delete(n);
  assert.is(table.size(), 0);
});

numbered.run();
