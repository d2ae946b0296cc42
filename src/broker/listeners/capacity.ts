import { moduleReserve } from '../../core/capacity/shares.ts';
import { MAX_CONNECTIONS } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import { maxOpenFiles } from '../../core/proc.ts';
import { RESERVED_FILES } from '../limits.ts';

/** Maximum concurrent connections of all listeners together. Each connection uses one file descriptor. */
export type Capacity = {
  /** Maximum number of connections of clients, not counting modules. */
  readonly clients: number;
  /**
   * Maximum number of connections of clients and modules together. The connections beyond `clients` are
   * reserved for modules.
   */
  readonly all: number;
};

/**
 * Returns the capacity that the system's limit of open files permits. Logs a warning if the capacity for
 * clients is less than MAX_CONNECTIONS.
 */
export function connectionCapacity(log: Log): Capacity {
  const files = maxOpenFiles();
  const capacity = capacityFor(files);
  if (capacity.clients < MAX_CONNECTIONS) {
    log.warn(
      `The system limits the hub to ${files} open files, so at most ${capacity.clients} clients can connect: raise "ulimit -n", or LimitNOFILE of the systemd unit.`,
    );
  }
  return capacity;
}

/**
 * Returns the capacity for `openFiles`, the system's limit of open files. Reserves RESERVED_FILES file
 * descriptors for other uses, but at most half of all file descriptors.
 */
export function capacityFor(openFiles: number): Capacity {
  const files = Math.min(openFiles, RESERVED_FILES + 2 * MAX_CONNECTIONS);
  const all = Math.max(files - RESERVED_FILES, Math.floor(files / 2));
  // The reserve of modules is one eighth of the number of client connections, so clients have eight ninths of
  // all connections.
  const clients = Math.max(Math.floor(all - moduleReserve(all * (8 / 9))), Math.floor(all / 2));
  return { clients: Math.min(MAX_CONNECTIONS, clients), all };
}
