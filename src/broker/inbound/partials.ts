import { FREE_PARTIAL_BYTES } from '../limits.ts';

/** A connection that keeps a part of a packet. */
export type PartialHolder = { readonly closeForMemory: () => void };

/** Memory of packets that are not complete, over all clients. */
export type Partials = {
  /** Sets the bytes that a connection keeps; may close the one whose packet is the oldest, be it this one. */
  readonly set: (holder: PartialHolder, bytes: number) => void;
  readonly bytes: () => number;
};

/** A few kilobytes are free: only what is beyond them is counted, against `most` bytes. */
export function createPartials(most: number): Partials {
  /** In the order in which their packets began. */
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
