/** Bytes of a slab. */
const SLAB = 1 << 18;

/** Memory that is used again and again instead of being left to the garbage collector. */
export type Slabs = {
  /** Allocates memory that is exclusive until `reset`. */
  readonly space: (bytes: number) => Buffer;
  /** All that was given is free again. */
  readonly reset: () => void;
};

/** Creates the slabs. Allocations larger than a slab are not kept. */
export function createSlabs(): Slabs {
  const slabs: Buffer[] = [];
  let slab = 0;
  let used = 0;
  return {
    space: bytes => {
      if (bytes > SLAB) return Buffer.allocUnsafeSlow(bytes);
      if (used + bytes > SLAB) {
        slab++;
        used = 0;
      }
      const current = slabs[slab] ?? Buffer.allocUnsafeSlow(SLAB);
      slabs[slab] = current;
      used += bytes;
      return current.subarray(used - bytes, used);
    },
    reset: () => {
      slab = 0;
      used = 0;
    },
  };
}
