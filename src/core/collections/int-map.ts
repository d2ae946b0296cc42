/**
 * Map with whole numbers from 0 to Number.MAX_SAFE_INTEGER as keys, for entries that come and go all the
 * time. Updates in place. JavaScript's Map allocates a new table every few dozen changes, and a promoted old
 * table keeps all later ones and their values alive until the next full collection.
 */
export type IntMap<Thing> = {
  readonly get: (number: number) => Thing | undefined;
  readonly has: (number: number) => boolean;
  readonly set: (number: number, thing: Thing) => void;
  /** Returns the deleted value. */
  readonly delete: (number: number) => Thing | undefined;
  readonly size: () => number;
  /** In no order; nothing may change meanwhile. */
  readonly values: () => Iterable<Thing>;
};

const SMALLEST = 8;
const NONE = -1;

/** A table of more places is given up once it is empty. */
const LARGE = 256;

/** A table with open addresses and linear probing, never more than half full. */
export function createIntMap<Thing>(): IntMap<Thing> {
  let numbers: number[] = [];
  let things: (Thing | undefined)[] = [];
  let shift = 0;
  let size = 0;

  /** By Fibonacci: numbers in a row, or in steps, lie apart. */
  const home = (number: number): number => Math.imul(number, 0x9e37_79b1) >>> shift;

  /** Index of the key, or of the free slot where it belongs. */
  const placeOf = (number: number): number => {
    const mask = numbers.length - 1;
    let at = home(number);
    while (numbers[at] !== number && numbers[at] !== NONE) at = (at + 1) & mask;
    return at;
  };

  const find = (number: number): number => {
    if (size === 0) return NONE;
    const at = placeOf(number);
    return numbers[at] === number ? at : NONE;
  };

  const resize = (capacity: number): void => {
    const [oldNumbers, oldThings] = [numbers, things];
    numbers = new Array<number>(capacity).fill(NONE);
    things = new Array<Thing | undefined>(capacity).fill(undefined);
    shift = 32 - Math.log2(capacity);
    for (const [index, number] of oldNumbers.entries()) {
      if (number === NONE) continue;
      const at = placeOf(number);
      numbers[at] = number;
      things[at] = oldThings[index];
    }
  };

  /** Empties a slot and moves up the entries of its probe sequence. */
  const vacate = (place: number): void => {
    const mask = numbers.length - 1;
    let hole = place;
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
      if (size * 2 >= numbers.length) resize(Math.max(SMALLEST, numbers.length * 2));
      const at = placeOf(number);
      if (numbers[at] !== number) size++;
      numbers[at] = number;
      things[at] = thing;
    },
    delete: number => {
      const at = find(number);
      if (at === NONE) return undefined;
      const thing = things[at];
      vacate(at);
      size--;
      // A table that has been full will be full again, or ends empty.
      if (size === 0 && numbers.length > LARGE) clear();
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
