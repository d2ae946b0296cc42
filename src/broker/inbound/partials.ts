import { FREE_PARTIAL_BYTES } from '../limits.ts';

/** Connection whose buffered input ends with an incomplete packet. */
export type PartialHolder = { readonly closeForMemory: () => void };

/** Memory of the incomplete packets of all clients together. */
export type Partials = {
  /**
   * Sets the bytes of a connection's incomplete packet. If the total exceeds the maximum, closes the
   * connections whose packets began first, until it does not. `holder` may be among them.
   */
  readonly set: (holder: PartialHolder, bytes: number) => void;
  readonly bytes: () => number;
};

/** Counts incomplete packets of more than FREE_PARTIAL_BYTES. `max` is the maximum of their sum in bytes. */
export function createPartials(max: number): Partials {
  /** Counted bytes by connection, ordered by the time at which the packet began. */
  const counted = new Map<PartialHolder, number>();
  let total = 0;
  return {
    set: (holder, bytes) => {
      total -= counted.get(holder) ?? 0;
      if (bytes <= FREE_PARTIAL_BYTES) {
        counted.delete(holder);
        return;
      }
      counted.set(holder, bytes);
      total += bytes;
      for (const [oldest, oldestBytes] of counted) {
        if (total <= max) return;
        counted.delete(oldest);
        total -= oldestBytes;
        oldest.closeForMemory();
      }
    },
    bytes: () => total,
  };
}
