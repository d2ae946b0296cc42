/** Item of a heap. Only the heap writes the fields. A new item has amount 0. */
export type HeapItem = {
  amount: number;
  /** Position in the heap. Invalid while the amount is 0. */
  index: number;
};

/** Binary heap of items with positive amounts and the largest amount at the top. A change takes O(log n). */
export type MaxHeap<Item> = {
  /** Returns the item with the largest amount. Undefined if the heap is empty. */
  readonly top: () => Item | undefined;
  /** Adds `difference` to the amount of an item. An item is in the heap while its amount is not 0. */
  readonly change: (item: Item, difference: number) => void;
};

export function createMaxHeap<Item extends HeapItem>(): MaxHeap<Item> {
  const items: Item[] = [];

  const place = (item: Item, index: number): void => {
    items[index] = item;
    item.index = index;
  };

  const siftUp = (item: Item): void => {
    let { index } = item;
    while (index > 0) {
      const parent = items[(index - 1) >> 1];
      if (parent === undefined || parent.amount >= item.amount) break;
      place(parent, index);
      index = (index - 1) >> 1;
    }
    place(item, index);
  };

  const largerChild = (index: number): Item | undefined => {
    const left = items[2 * index + 1];
    const right = items[2 * index + 2];
    return left !== undefined && right !== undefined && right.amount > left.amount ? right : left;
  };

  const siftDown = (item: Item): void => {
    let { index } = item;
    for (let child = largerChild(index); child !== undefined; child = largerChild(index)) {
      if (child.amount <= item.amount) break;
      const below = child.index;
      place(child, index);
      index = below;
    }
    place(item, index);
  };

  const remove = (item: Item): void => {
    const last = items.pop();
    if (last === undefined || last === item) return;
    place(last, item.index);
    siftUp(last);
    siftDown(last);
  };

  return {
    top: () => items[0],
    change: (item, difference) => {
      const before = item.amount;
      item.amount += difference;
      if (before === 0) place(item, items.length);
      if (item.amount === 0) remove(item);
      else if (difference > 0) siftUp(item);
      else siftDown(item);
    },
  };
}
