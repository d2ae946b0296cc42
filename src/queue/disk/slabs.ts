/** Bytes of one slab (block of reusable memory). */
const SLAB = 1 << 18;

/** Reusable memory, so that a transaction leaves no buffers to the garbage collector. */
export type Slabs = {
  /** Returns memory for exclusive use until the next `reset`. */
  readonly space: (bytes: number) => Buffer;
  /** Makes all memory reusable. */
  readonly reset: () => void;
};

/** Creates the slabs. The memory of an allocation that is larger than a slab is not reused. */
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
