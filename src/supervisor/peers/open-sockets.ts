import { readdirSync, readlinkSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';

/** Open files of a process that are looked at before the event loop has its turn. */
const FILES_PER_TURN = 256;

/** A process of a module. */
export type ModulePid = { readonly module: string; readonly pid: number };

/** The sockets that processes have open: their modules by inode. Gives way to the event loop while it looks. */
export async function socketsOf(processes: Iterable<ModulePid>): Promise<ReadonlyMap<number, string>> {
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

/** Processes and their files go while they are looked at; those of other users may not be looked at. */
function unlessGone<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) !== undefined) return undefined;
    throw error;
  }
}
