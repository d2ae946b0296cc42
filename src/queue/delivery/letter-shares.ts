import type { HeapItem, MaxHeap } from '../../core/collections/max-heap.ts';
import { createMaxHeap } from '../../core/collections/max-heap.ts';
import { DEAD_LETTER_COST_BYTES } from '../limits.ts';

/** Reference to a dead letter, without the message. */
export type LetterRef = {
  readonly id: string;
  /** Name of the metadata value of the dead letter. */
  readonly name: string;
  readonly holder: string;
  readonly queue: string;
  readonly bytes: number;
};

/** Dead letters of one queue, oldest first. `amount` is the sum of their costs. */
type QueueLetters = HeapItem & { readonly letters: Map<string, LetterRef> };

/**
 * Dead letters of one holder (the user or module whose share is charged), by queue. `amount` is the sum of
 * their costs.
 */
type HolderLetters = HeapItem & {
  readonly queues: Map<string, QueueLetters>;
  readonly byCost: MaxHeap<QueueLetters>;
};

/** Cost of dead letters by holder and queue. A dead letter costs its bytes plus DEAD_LETTER_COST_BYTES. */
export type LetterShares = {
  readonly add: (letter: LetterRef) => void;
  readonly remove: (letter: LetterRef) => void;
  /**
   * Returns the dead letter to delete when a limit is exceeded. Selects the holder with the highest cost,
   * then the queue with the highest cost of this holder, then the oldest dead letter of this queue. Undefined
   * if there are no dead letters.
   */
  readonly oldestOfLargest: () => LetterRef | undefined;
};

export function createLetterShares(): LetterShares {
  const holders = new Map<string, HolderLetters>();
  const byCost = createMaxHeap<HolderLetters>();

  const holderOf = (key: string): HolderLetters => {
    const known = holders.get(key);
    if (known !== undefined) return known;
    const holder = { amount: 0, index: 0, queues: new Map(), byCost: createMaxHeap<QueueLetters>() };
    holders.set(key, holder);
    return holder;
  };

  const queueOf = ({ queues }: HolderLetters, key: string): QueueLetters => {
    const known = queues.get(key);
    if (known !== undefined) return known;
    const queue = { amount: 0, index: 0, letters: new Map() };
    queues.set(key, queue);
    return queue;
  };

  return {
    add: letter => {
      const holder = holderOf(letter.holder);
      const queue = queueOf(holder, letter.queue);
      const cost = letter.bytes + DEAD_LETTER_COST_BYTES;
      queue.letters.set(letter.id, letter);
      holder.byCost.change(queue, cost);
      byCost.change(holder, cost);
    },
    remove: letter => {
      const holder = holderOf(letter.holder);
      const queue = queueOf(holder, letter.queue);
      if (!queue.letters.delete(letter.id)) return;
      const cost = letter.bytes + DEAD_LETTER_COST_BYTES;
      holder.byCost.change(queue, -cost);
      byCost.change(holder, -cost);
      if (queue.amount === 0) holder.queues.delete(letter.queue);
      if (holder.amount === 0) holders.delete(letter.holder);
    },
    oldestOfLargest: () => byCost.top()?.byCost.top()?.letters.values().next().value,
  };
}
