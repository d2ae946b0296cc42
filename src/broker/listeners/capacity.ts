import { readFileSync } from 'node:fs';
import { moduleReserve } from '../../core/capacity/shares.ts';
import { MAX_CONNECTIONS } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import { RESERVED_FILES } from '../limits.ts';

/** Soft limit in /proc/self/limits. Node has raised it to the hard limit by then. */
const OPEN_FILES = /^Max open files +(\d+)/m;

/** Maximum concurrent connections over all listeners. Each takes a file descriptor. */
export type Capacity = {
  /** Maximum of clients. */
  readonly clients: number;
  /** Maximum of clients and modules. The difference is reserved for modules. */
  readonly all: number;
};

/** Connections that the limit of open files allows. Logs if they are fewer than MAX_CONNECTIONS. */
export function connectionCapacity(log: Log): Capacity {
  const files = openFiles();
  const capacity = capacityFor(files);
  if (capacity.clients < MAX_CONNECTIONS) {
    log.warn(
      `The system lets the hub open ${files} files, so at most ${capacity.clients} clients may be connected: raise "ulimit -n", or LimitNOFILE of a systemd unit, for more.`,
    );
  }
  return capacity;
}

/** Maximum number of open files. Infinity if the system does not report it. */
export function openFiles(): number {
  const [, text] = OPEN_FILES.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return text === undefined ? Number.POSITIVE_INFINITY : Number(text);
}

/**
 * Connections for a number of open files. File descriptors for the store, logs, the control socket and module
 * processes are reserved, at most half; so is the reserve of modules.
 */
export function capacityFor(openFiles: number): Capacity {
  const files = Math.min(openFiles, RESERVED_FILES + 2 * MAX_CONNECTIONS);
  const all = Math.max(files - RESERVED_FILES, Math.floor(files / 2));
  // A reserve of an eighth of the clients is a ninth of all.
  const clients = Math.max(Math.floor(all - moduleReserve(all * (8 / 9))), Math.floor(all / 2));
  return { clients: Math.min(MAX_CONNECTIONS, clients), all };
}
