/** Memory that the hub may take under load, in bytes, by what takes it. */
export type MemoryBudget = {
  /** All that the hub, and what runs in its control group, may take. */
  readonly total: number;
  /** Messages that wait for the disk: beyond it their senders are not read. */
  readonly gathered: number;
  /** Connections that have not sent CONNECT: beyond it the oldest of the address that has most is closed. */
  readonly arrivals: number;
  /** Packets of clients that are not complete: beyond it the connection whose packet is the oldest is closed. */
  readonly incoming: number;
  /** Packets that sockets have not taken: beyond it each has an equal part, and waits or drops beyond that. */
  readonly outgoing: number;
};

const MEGABYTE = 1 << 20;

/** The smallest total from which the parts are derived, and the largest: more makes nothing faster. */
export const MIN_MEMORY = 32 * MEGABYTE;
const MAX_DERIVED = 256 * MEGABYTE;

/** The parts of `total` bytes. */
export function budgetOf(total: number): MemoryBudget {
  const base = Math.min(Math.max(total, MIN_MEMORY), MAX_DERIVED);
  return {
    total,
    gathered: base / 64 + MEGABYTE,
    arrivals: base / 32,
    incoming: base / 32 + 2 * MEGABYTE,
    outgoing: base / 16,
  };
}
