import { readdirSync, readlinkSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';

/** Number of file descriptors that a scan reads before it yields to the event loop. */
const FILES_PER_TURN = 256;

/** Process id with the name of its module. */
export type ModulePid = { readonly module: string; readonly pid: number };

/**
 * Returns the module of each open socket of the processes. The key is the inode of the socket. Yields to the
 * event loop during the scan.
 */
export async function openSockets(processes: Iterable<ModulePid>): Promise<ReadonlyMap<number, string>> {
  const sockets = new Map<number, string>();
  let scanned = 0;
  for (const { module, pid } of processes) {
    const folder = `/proc/${pid}/fd`;
    for (const file of orUndefined(() => readdirSync(folder)) ?? []) {
      const target = orUndefined(() => readlinkSync(`${folder}/${file}`));
      const [, inode] = /^socket:\[(\d+)\]$/.exec(target ?? '') ?? [];
      if (inode !== undefined) sockets.set(Number(inode), module);
      scanned += 1;
      if (scanned % FILES_PER_TURN === 0) await new Promise(resolve => setImmediate(resolve));
    }
  }
  return sockets;
}

/**
 * Returns the result of `read`. Undefined if the process has exited, the file is closed, or the hub has no
 * permission to read the file.
 */
function orUndefined<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) !== undefined) return undefined;
    throw error;
  }
}
