import { readFileSync } from 'node:fs';
import { MAX_CONNECTIONS, RESERVED_FILES } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';

/** The soft limit in /proc/self/limits; the runtime has raised it to the hard one by then. */
const OPEN_FILES = /^Max open files +(\d+)/m;

/** How many clients may be connected at once, over all listeners: each is an open file. Less than the bound is said. */
export function connectionCapacity(log: Log): number {
  const files = openFiles();
  const capacity = capacityFor(files);
  if (capacity < MAX_CONNECTIONS) {
    log.warn(
      `The system lets the hub open ${files} files, so at most ${capacity} clients may be connected: raise "ulimit -n", or LimitNOFILE of a systemd unit, for more.`,
    );
  }
  return capacity;
}

/** The number of files that the hub may open; Infinity if the system does not tell. */
export function openFiles(): number {
  const [, text] = OPEN_FILES.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return text === undefined ? Number.POSITIVE_INFINITY : Number(text);
}

/** What the store, the logs and the modules need is set aside, but never more than half. */
export function capacityFor(openFiles: number): number {
  return Math.min(MAX_CONNECTIONS, Math.max(openFiles - RESERVED_FILES, Math.floor(openFiles / 2)));
}
