import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HeapItem } from '../../src/core/collections/max-heap.ts';
import { createMaxHeap } from '../../src/core/collections/max-heap.ts';

const heaps = suite('core: max-heap');

heaps('the top of a max-heap is the item with the largest amount after random changes of the amounts', () => {
  const change = fc.record({ item: fc.nat(12), amount: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), changes => {
      const items = Array.from({ length: 13 }, (): HeapItem => ({ amount: 0, index: 0 }));
      const heap = createMaxHeap();
      for (const { item: index, amount } of changes) {
        const item = items[index];
        if (item !== undefined) heap.change(item, amount - item.amount);
        const largest = Math.max(...items.map(one => one.amount));
        assert.is(heap.top()?.amount ?? 0, largest);
      }
      // Emptied from the top, the heap returns each remaining item once.
      const left = items.filter(({ amount }) => amount > 0).map(({ amount }) => amount);
      const emptied: number[] = [];
      for (let top = heap.top(); top !== undefined; top = heap.top()) {
        emptied.push(top.amount);
        heap.change(top, -top.amount);
      }
      assert.equal(
        emptied,
        left.toSorted((one, other) => other - one),
      );
    }),
  );
});

heaps.run();
