import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { systemCode } from './errors.ts';

/** A process that is more than a zombie. */
export type RunningProcess = {
  readonly pid: number;
  readonly parent: number;
  /** The process group that it is in. */
  readonly group: number;
  /** Clock ticks from boot to its start: tells it apart from a later process that was given the same pid. */
  readonly started: number;
};

/** Changes with every boot: before another boot, a pid and its start mean nothing. Undefined: there is no /proc. */
export function bootId(): string | undefined {
  return unlessGone(() => readKernelFile('/proc/sys/kernel/random/boot_id').trim());
}

/** Who has the pid now; undefined: nobody, or merely a zombie. */
export function runningProcess(pid: number): RunningProcess | undefined {
  const stat = unlessGone(() => readKernelFile(`/proc/${pid}/stat`));
  if (stat === undefined) return undefined;
  // proc(5): the name is in parentheses and may hold some itself, so the fields are counted from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), group: Number(group), started: Number(fields[19]) };
}

/** Whether any process that is more than a zombie is in the group. */
export function isGroupRunning(group: number): boolean {
  return allPids().some(pid => runningProcess(pid)?.group === group);
}

/** Those of `pids`, or of all, that were started with a variable of this `name` in their environment, and such a value. */
export function pidsWith(
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

/** The pids of the processes that were started after `pid` was: they are given in turn, and after the last from the first. */
export function pidsSince(pid: number): number[] {
  const load = unlessGone(() => readKernelFile('/proc/loadavg'));
  const last = Number(load?.trim().split(' ').at(-1));
  return allPids().filter(one => (pid <= last ? one > pid && one <= last : one > pid || one <= last));
}

/** The pids of all processes; none where there is no /proc. */
export function allPids(): number[] {
  const entries = unlessGone(() => readdirSync('/proc')) ?? [];
  return entries.map(Number).filter(pid => pid > 0);
}

/** What `read` reads of a process; undefined: it is gone, belongs to somebody else, or there is no /proc. */
function unlessGone<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}

/** Most of these files are a line. One buffer for all: nothing here gives way while it is in use. */
const room = Buffer.allocUnsafeSlow(4096);

/**
 * The text of a file of the kernel (/proc, /sys), its bytes taken as Latin-1. Not `readFileSync`, which sets 64 KB aside
 * for a file that does not tell its size: hundreds of these are read when modules end. Throws what the system does.
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
