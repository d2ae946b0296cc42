/** Numbers that a seed repeats. */
export type SeededRandom = {
  /** A whole number from 0 to below `bound`. */
  readonly below: (bound: number) => number;
  /** True once in `bound` times. */
  readonly oneIn: (bound: number) => boolean;
  readonly pick: <Item>(items: readonly [Item, ...Item[]]) => Item;
};

/** xorshift32: what is thrown needs to be odd, not secret. */
export function seededRandom(seed: number): SeededRandom {
  let state = Math.imul(seed, 0x9e37_79b1) ^ 0x6d2b_79f5 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const below = (bound: number): number => next() % bound;
  return {
    below,
    oneIn: bound => below(bound) === 0,
    pick: items => items[below(items.length)] ?? items[0],
  };
}
