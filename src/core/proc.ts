import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { systemCode } from './errors.ts';

/** Process that is not a zombie. */
export type RunningProcess = {
  readonly pid: number;
  readonly parent: number;
  /** Process group id. */
  readonly group: number;
  /** Start time in clock ticks since boot. Distinguishes a process from a later one with the same pid. */
  readonly started: number;
};

/**
 * Boot id of the kernel. Pids and start times are only comparable within one boot. Undefined if /proc is not
 * mounted.
 */
export function bootId(): string | undefined {
  return unlessGone(() => readKernelFile('/proc/sys/kernel/random/boot_id').trim());
}

/** Reads the process with this pid. Undefined if it does not exist or is a zombie. */
export function runningProcess(pid: number): RunningProcess | undefined {
  const stat = unlessGone(() => readKernelFile(`/proc/${pid}/stat`));
  if (stat === undefined) return undefined;
  // proc(5): the name is in parentheses and may contain parentheses itself, so fields are counted from the
  // last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), group: Number(group), started: Number(fields[19]) };
}

/** Tells if the process group has a process that is not a zombie. */
export function isProcessGroupRunning(group: number): boolean {
  return allPids().some(pid => runningProcess(pid)?.group === group);
}

/** Returns the pids whose initial environment has the variable `name` with a matching value. */
export function pidsWithVariable(
  name: string,
  fits: (value: string, pid: number) => boolean,
  pids = allPids(),
): number[] {
  return pids.filter(pid => {
    const environment = unlessGone(() => readKernelFile(`/proc/${pid}/environ`));
    const entry = environment?.split('\0').find(variable => variable.startsWith(`${name}=`));
    return entry !== undefined && fits(entry.slice(name.length + 1), pid);
  });
}

/** Returns the pids that were assigned after `pid`. Pids are assigned in order and wrap around. */
export function pidsStartedAfter(pid: number): number[] {
  const load = unlessGone(() => readKernelFile('/proc/loadavg'));
  const last = Number(load?.trim().split(' ').at(-1));
  return allPids().filter(one => (pid <= last ? one > pid && one <= last : one > pid || one <= last));
}

/** Returns all pids; empty if /proc is not mounted. */
export function allPids(): number[] {
  const entries = unlessGone(() => readdirSync('/proc')) ?? [];
  return entries.map(Number).filter(pid => pid > 0);
}

/** Returns undefined if the process is gone, belongs to another user, or /proc is not mounted. */
function unlessGone<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}

/** Shared buffer. Safe because the reads are synchronous; most of these files are one line. */
const room = Buffer.allocUnsafeSlow(4096);

/**
 * Reads a file of the kernel (/proc, /sys) as Latin-1. Avoids `readFileSync`, which allocates 64 KB for files
 * that report no size: hundreds are read when modules end. Throws system errors.
 */
export function readKernelFile(path: string): string {
  const file = openSync(path, 'r');
  try {
    let text = '';
    for (;;) {
      const count = readSync(file, room, 0, room.length, null);
      if (count === 0) return text;
      text += room.toString('latin1', 0, count);
    }
  } finally {
    closeSync(file);
  }
}
