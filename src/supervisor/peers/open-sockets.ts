import { readdirSync, readlinkSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';

/** File descriptors examined before yielding to the event loop. */
const FILES_PER_TURN = 256;

/** Process with the name of its module. */
export type ModulePid = { readonly module: string; readonly pid: number };

/**
 * Maps the inode of each open socket to the module that holds it. Yields to the event loop while scanning.
 */
export async function openSockets(processes: Iterable<ModulePid>): Promise<ReadonlyMap<number, string>> {
  const sockets = new Map<number, string>();
  let looked = 0;
  for (const { module, pid } of processes) {
    const folder = `/proc/${pid}/fd`;
    for (const file of unlessGone(() => readdirSync(folder)) ?? []) {
      const target = unlessGone(() => readlinkSync(`${folder}/${file}`));
      const [, inode] = /^socket:\[(\d+)\]$/.exec(target ?? '') ?? [];
      if (inode !== undefined) sockets.set(Number(inode), module);
      looked += 1;
      if (looked % FILES_PER_TURN === 0) await new Promise(resolve => setImmediate(resolve));
    }
  }
  return sockets;
}

/** Returns undefined if a process or file is gone, or belongs to another user. */
function unlessGone<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) !== undefined) return undefined;
    throw error;
  }
}
