import { FREE_PARTIAL_BYTES } from '../limits.ts';

/** Connection whose buffered input ends with an incomplete packet. */
export type BufferingConnection = { readonly closeForMemory: () => void };

/** Memory of the incomplete packets of all clients together. */
export type IncompletePackets = {
  /**
   * Sets the number of bytes of a connection's incomplete packet. While the total of all connections exceeds
   * the maximum, closes the connection with the oldest incomplete packet, which can be `connection` itself.
   */
  readonly set: (connection: BufferingConnection, bytes: number) => void;
  /** Returns the total bytes of all counted packets. */
  readonly bytes: () => number;
};

/**
 * Creates the counter of incomplete packets. Only packets of more than FREE_PARTIAL_BYTES are counted. `max`
 * is the maximum total in bytes.
 */
export function createIncompletePackets(max: number): IncompletePackets {
  /** Counted bytes by connection. The connection with the oldest incomplete packet comes first. */
  const counted = new Map<BufferingConnection, number>();
  let total = 0;
  return {
    set: (connection, bytes) => {
      total -= counted.get(connection) ?? 0;
      if (bytes <= FREE_PARTIAL_BYTES) {
        counted.delete(connection);
        return;
      }
      counted.set(connection, bytes);
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
