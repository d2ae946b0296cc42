import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { systemCode } from './errors.ts';

/** Process that is not a zombie. */
export type RunningProcess = {
  readonly pid: number;
  readonly parent: number;
  /** Process group id. */
  readonly group: number;
  /**
   * Start time in clock ticks since boot. Distinguishes the process from a later process with the same pid.
   */
  readonly started: number;
};

/**
 * Returns the boot id of the kernel. Pids and start times are comparable only within the same boot. Undefined
 * if /proc is not mounted.
 */
export function bootId(): string | undefined {
  return ifExists(() => readKernelFile('/proc/sys/kernel/random/boot_id').trim());
}

/** Reads the process with this pid. Undefined if it does not exist or is a zombie. */
export function runningProcess(pid: number): RunningProcess | undefined {
  const stat = ifExists(() => readKernelFile(`/proc/${pid}/stat`));
  if (stat === undefined) return undefined;
  // The name of the process is in parentheses and can itself contain parentheses (proc(5)). Therefore the
  // fields are counted from the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), group: Number(group), started: Number(fields[19]) };
}

/** True if the process group has a process that is not a zombie. */
export function isProcessGroupRunning(group: number): boolean {
  return allPids().some(pid => runningProcess(pid)?.group === group);
}

/**
 * Returns the pids of all processes whose initial environment has the variable `name` with a matching value.
 */
export function pidsWithVariable(
  name: string,
  matches: (value: string, pid: number) => boolean,
  pids = allPids(),
): number[] {
  return pids.filter(pid => {
    const environment = ifExists(() => readKernelFile(`/proc/${pid}/environ`));
    const entry = environment?.split('\0').find(variable => variable.startsWith(`${name}=`));
    return entry !== undefined && matches(entry.slice(name.length + 1), pid);
  });
}

/**
 * Returns the pids of running processes that were assigned after `pid`. The kernel assigns pids in order and
 * wraps around.
 */
export function pidsStartedAfter(pid: number): number[] {
  const load = ifExists(() => readKernelFile('/proc/loadavg'));
  const last = Number(load?.trim().split(' ').at(-1));
  return allPids().filter(candidate =>
    pid <= last ? candidate > pid && candidate <= last : candidate > pid || candidate <= last,
  );
}

/** Returns all pids. The list is empty if /proc is not mounted. */
export function allPids(): number[] {
  const entries = ifExists(() => readdirSync('/proc')) ?? [];
  return entries.map(Number).filter(pid => pid > 0);
}

/**
 * Returns the soft limit of open files of this process, which Node raises to the hard limit at its start.
 * Infinity if the system does not report it.
 */
export function maxOpenFiles(): number {
  const [, limit] = /^Max open files +(\d+)/m.exec(readKernelFile('/proc/self/limits')) ?? [];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}

/** Returns the anonymous memory of this process in bytes. 0 if the system does not report it. */
export function anonymousMemory(): number {
  const [, kilobytes = '0'] = /^RssAnon:\s+(\d+) kB/m.exec(readKernelFile('/proc/self/status')) ?? [];
  return Number(kilobytes) * 1024;
}

/**
 * Returns the result of `read`. Undefined if the process does not exist or belongs to another user, or if
 * /proc is not mounted.
 */
function ifExists<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}

/** Shared read buffer. Safe because the reads are synchronous. Most files of /proc fit into the buffer. */
const readBuffer = Buffer.allocUnsafeSlow(4096);

/**
 * Reads a file of the kernel (/proc, /sys) as Latin-1. `readFileSync` would allocate 64 KB for each file that
 * reports no size, and the hub reads hundreds of these files when modules end. Throws system errors.
 */
export function readKernelFile(path: string): string {
  const file = openSync(path, 'r');
  try {
    let text = '';
    for (;;) {
      const count = readSync(file, readBuffer, 0, readBuffer.length, null);
      if (count === 0) return text;
      text += readBuffer.toString('latin1', 0, count);
    }
  } finally {
    closeSync(file);
  }
}
