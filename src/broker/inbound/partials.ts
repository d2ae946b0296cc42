import { FREE_PARTIAL_BYTES } from '../limits.ts';

/** Connection with an incomplete packet. */
export type PartialHolder = { readonly closeForMemory: () => void };

/** Memory of incomplete packets of all clients. */
export type Partials = {
  /**
   * Sets the bytes of a connection's incomplete packet. May close the connection with the oldest one,
   * including this one.
   */
  readonly set: (holder: PartialHolder, bytes: number) => void;
  readonly bytes: () => number;
};

/** Creates the account. The first FREE_PARTIAL_BYTES of each packet do not count against `most` bytes. */
export function createPartials(most: number): Partials {
  /** Ordered by the start of their packets. */
  const kept = new Map<PartialHolder, number>();
  let total = 0;
  return {
    set: (holder, bytes) => {
      total -= kept.get(holder) ?? 0;
      if (bytes <= FREE_PARTIAL_BYTES) {
        kept.delete(holder);
        return;
      }
      kept.set(holder, bytes);
      total += bytes;
      for (const [oldest, held] of kept) {
        if (total <= most) return;
        kept.delete(oldest);
        total -= held;
        oldest.closeForMemory();
      }
    },
    bytes: () => total,
  };
}
