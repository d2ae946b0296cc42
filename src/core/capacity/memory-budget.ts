/** Memory budget of the hub under load, in bytes by purpose. docs/reference/limits.md has the table. */
export type MemoryBudget = {
  /** Messages that wait for the disk: beyond it their senders are not read. */
  readonly gathered: number;
  /** Connections that have not sent CONNECT: beyond it the oldest of the address that has most is closed. */
  readonly arrivals: number;
  /** Incomplete packets of clients: beyond it the connection whose packet is the oldest is closed. */
  readonly incoming: number;
  /** Packets that sockets have not taken: beyond it each socket that is behind has an equal part. */
  readonly outgoing: number;
  /** Messages of sessions without a store that wait in memory: beyond it they wait in the store. */
  readonly backlog: number;
};

const MEGABYTE = 1 << 20;

/**
 * Totals below and above which the parts stay as they are: less holds no packet, more makes nothing faster.
 */
export const MIN_MEMORY = 32 * MEGABYTE;
const MAX_DERIVED = 256 * MEGABYTE;

/** The parts of `total` bytes. */
export function budgetOf(total: number): MemoryBudget {
  const base = Math.min(Math.max(total, MIN_MEMORY), MAX_DERIVED);
  return {
    // A commit holds at most 1 MB. More would only make its runs larger.
    gathered: 2 * MEGABYTE,
    arrivals: base / 64 + MEGABYTE,
    incoming: base / 64 + 3 * MEGABYTE,
    outgoing: base / 32 + 2 * MEGABYTE,
    backlog: base / 64 + MEGABYTE,
  };
}
