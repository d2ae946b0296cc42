import { moduleReserve } from '../../core/capacity/shares.ts';
import { MAX_CONNECTIONS } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import { maxOpenFiles } from '../../core/proc.ts';
import { RESERVED_FILES } from '../limits.ts';

/** Maximum concurrent connections of all listeners together. Each connection uses one file descriptor. */
export type Capacity = {
  /** Maximum number of connections of clients. */
  readonly clients: number;
  /**
   * Maximum number of connections of clients and modules. The difference to `clients` is for modules only.
   */
  readonly all: number;
};

/**
 * Returns the capacity by the system's limit of open files. Logs a warning if it is less than
 * MAX_CONNECTIONS.
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
 * Returns the capacity for a limit of open files. RESERVED_FILES file descriptors are not used for
 * connections, but connections always get at least half of all file descriptors.
 */
export function capacityFor(openFiles: number): Capacity {
  const files = Math.min(openFiles, RESERVED_FILES + 2 * MAX_CONNECTIONS);
  const all = Math.max(files - RESERVED_FILES, Math.floor(files / 2));
  // The reserve of modules is an eighth of the clients, which is a ninth of all connections.
  const clients = Math.max(Math.floor(all - moduleReserve(all * (8 / 9))), Math.floor(all / 2));
  return { clients: Math.min(MAX_CONNECTIONS, clients), all };
}
