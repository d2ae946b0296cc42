/** Maximum bytes of memory of the hub under load, by purpose. docs/reference/limits.md has the table. */
export type MemoryBudget = {
  /**
   * Bytes of messages that wait to be written to disk. At this bound the hub stops reading from their
   * senders.
   */
  readonly gathered: number;
  /**
   * Bytes of connections that have not sent CONNECT. Beyond this bound the hub closes the oldest connection
   * of the address with the most connections.
   */
  readonly arrivals: number;
  /**
   * Bytes of incomplete packets from clients. Beyond this bound the hub closes the connection with the oldest
   * incomplete packet.
   */
  readonly incoming: number;
  /**
   * Bytes of packets that sockets have not sent. Beyond this bound every socket with unsent packets has an
   * equal share of the bytes.
   */
  readonly outgoing: number;
  /**
   * Bytes of messages in memory that wait for the clients of non-persistent sessions. Beyond this bound
   * messages wait on disk.
   */
  readonly backlog: number;
};

const MEGABYTE = 1 << 20;

/**
 * Minimum bytes of the whole budget. In a smaller budget, one purpose would get too few bytes for one packet.
 */
export const MIN_MEMORY = 32 * MEGABYTE;

/**
 * Maximum bytes of memory from which the budget is computed. With more memory the parts of the budget stay
 * the same, because larger parts would not make the hub faster.
 */
const MAX_DERIVED = 256 * MEGABYTE;

/** Divides `total` bytes of memory among the purposes. */
export function budgetOf(total: number): MemoryBudget {
  const base = Math.min(Math.max(total, MIN_MEMORY), MAX_DERIVED);
  return {
    // A commit contains at most 1 MB, so 2 MB suffice: one commit is written while the next one is gathered.
    gathered: 2 * MEGABYTE,
    arrivals: base / 64 + MEGABYTE,
    incoming: base / 64 + 3 * MEGABYTE,
    outgoing: base / 32 + 2 * MEGABYTE,
    backlog: base / 64 + MEGABYTE,
  };
}
