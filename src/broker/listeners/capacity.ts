import { readFileSync } from 'node:fs';
import { moduleReserve } from '../../core/capacity/shares.ts';
import { MAX_CONNECTIONS } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import { RESERVED_FILES } from '../limits.ts';

/** The soft limit in /proc/self/limits; the runtime has raised it to the hard one by then. */
const OPEN_FILES = /^Max open files +(\d+)/m;

/** Connections at once, over all listeners: each is an open file. */
export type Capacity = {
  /** Of clients. */
  readonly clients: number;
  /** Of clients and modules: what clients cannot take is more than the modules need. */
  readonly all: number;
};

/** Connections that the system allows. Fewer clients than MAX_CONNECTIONS are logged. */
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

/** The number of files that the hub may open; Infinity if the system does not tell. */
export function openFiles(): number {
  const [, text] = OPEN_FILES.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return text === undefined ? Number.POSITIVE_INFINITY : Number(text);
}

/**
 * Connections that fit into a number of open files. Those that the store, the logs, the control socket and the processes of
 * modules need are set aside, but never more than half; so is the reserve of modules.
 */
export function capacityFor(openFiles: number): Capacity {
  const files = Math.min(openFiles, RESERVED_FILES + 2 * MAX_CONNECTIONS);
  const all = Math.max(files - RESERVED_FILES, Math.floor(files / 2));
  // A reserve of an eighth of the clients is a ninth of all.
  const clients = Math.max(Math.floor(all - moduleReserve(all * (8 / 9))), Math.floor(all / 2));
  return { clients: Math.min(MAX_CONNECTIONS, clients), all };
}
