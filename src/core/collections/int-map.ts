/**
 * Map whose keys are integers from 0 to Number.MAX_SAFE_INTEGER, for entries that are added and deleted
 * often. Updates its table in place. JavaScript's Map allocates a new table every few dozen changes, and an
 * old table in the old generation of the garbage collector keeps all later tables and their values alive
 * until the next full collection.
 */
export type IntMap<Thing> = {
  readonly get: (number: number) => Thing | undefined;
  readonly has: (number: number) => boolean;
  readonly set: (number: number, thing: Thing) => void;
  /** Deletes a key and returns its value. */
  readonly delete: (number: number) => Thing | undefined;
  readonly size: () => number;
  /** Returns the values in no particular order. The map must not change during the iteration. */
  readonly values: () => Iterable<Thing>;
};

/** Number of slots of the smallest table. */
const MIN_SLOTS = 8;

/** Marks a free slot in the table of keys. Also the result of a search for a key that does not exist. */
const NONE = -1;

/** Maximum number of slots of a table that is reused after it became empty. */
const MAX_REUSED_SLOTS = 256;

/** Creates a map: a hash table with open addressing and linear probing, at most half full. */
export function createIntMap<Thing>(): IntMap<Thing> {
  let numbers: number[] = [];
  let things: (Thing | undefined)[] = [];
  let shift = 0;
  let size = 0;

  /**
   * Returns the slot where the probe sequence of a key begins. Fibonacci hashing spreads consecutive keys.
   */
  const home = (number: number): number => Math.imul(number, 0x9e37_79b1) >>> shift;

  /** Returns the slot of a key, or the free slot where the key belongs. */
  const slotOf = (number: number): number => {
    const mask = numbers.length - 1;
    let at = home(number);
    while (numbers[at] !== number && numbers[at] !== NONE) at = (at + 1) & mask;
    return at;
  };

  const find = (number: number): number => {
    if (size === 0) return NONE;
    const at = slotOf(number);
    return numbers[at] === number ? at : NONE;
  };

  const resize = (capacity: number): void => {
    const [oldNumbers, oldThings] = [numbers, things];
    numbers = new Array<number>(capacity).fill(NONE);
    things = new Array<Thing | undefined>(capacity).fill(undefined);
    shift = 32 - Math.log2(capacity);
    for (const [index, number] of oldNumbers.entries()) {
      if (number === NONE) continue;
      const at = slotOf(number);
      numbers[at] = number;
      things[at] = oldThings[index];
    }
  };

  /** Frees a slot and moves later entries of the probe sequence to close the gap. */
  const freeSlot = (slot: number): void => {
    const mask = numbers.length - 1;
    let hole = slot;
    for (let at = (hole + 1) & mask; numbers[at] !== NONE; at = (at + 1) & mask) {
      const number = numbers[at] ?? NONE;
      if (((at - home(number)) & mask) < ((at - hole) & mask)) continue;
      numbers[hole] = number;
      things[hole] = things[at];
      hole = at;
    }
    numbers[hole] = NONE;
    things[hole] = undefined;
  };

  const clear = (): void => {
    numbers = [];
    things = [];
    size = 0;
  };

  return {
    get: number => {
      const at = find(number);
      return at === NONE ? undefined : things[at];
    },
    has: number => find(number) !== NONE,
    set: (number, thing) => {
      if (size * 2 >= numbers.length) resize(Math.max(MIN_SLOTS, numbers.length * 2));
      const at = slotOf(number);
      if (numbers[at] !== number) size++;
      numbers[at] = number;
      things[at] = thing;
    },
    delete: number => {
      const at = find(number);
      if (at === NONE) return undefined;
      const thing = things[at];
      freeSlot(at);
      size--;
      // A large empty table is released, because the map is possibly never filled again.
      if (size === 0 && numbers.length > MAX_REUSED_SLOTS) clear();
      return thing;
    },
    size: () => size,
    values: function* () {
      for (const [index, number] of numbers.entries()) {
        const thing = things[index];
        if (number !== NONE && thing !== undefined) yield thing;
      }
    },
  };
}
