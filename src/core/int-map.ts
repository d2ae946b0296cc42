/**
 * Things by whole numbers from 0 to Number.MAX_SAFE_INTEGER, for what comes and goes all the time. It is written over in
 * place; the language's Map makes a table anew for each few dozen changes, and one old table that has grown old keeps all
 * later ones alive, with what was in them, until the next full collection.
 */
export type IntMap<Thing> = {
  readonly get: (number: number) => Thing | undefined;
  readonly has: (number: number) => boolean;
  readonly set: (number: number, thing: Thing) => void;
  /** What was there. */
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

  /** Where the number is, or the free place where it belongs. */
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

  /** Empties a place, and moves up what lies behind it for want of it. */
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
      // What has been full will be so again, or ends empty.
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
