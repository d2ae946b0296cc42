import type { ChildProcess, SpawnOptions, StdioNull, StdioPipe } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { readKernelFile } from '../../core/proc.ts';
import { preferAsOomVictim } from './oom-score.ts';

/** Standard input, output and error of a child process. A number is an open file descriptor. */
export type Stdio = readonly [StdioEntry, StdioEntry, StdioEntry];
type StdioEntry = StdioNull | StdioPipe | number;

/** O_CLOEXEC as /proc/self/fdinfo shows it: the child does not inherit the file descriptor. */
const O_CLOEXEC = 0o2000000;

const FIRST_NON_STANDARD = 3;

/** Inherited file descriptors from this number on are closed. */
const MAX_INHERITED = 1_024;

/**
 * File descriptors that children would inherit. LMDB opens its file without O_CLOEXEC, and so may the hub's
 * parent. Determined once, because all of them are open before the first module starts.
 */
let inherited: readonly number[] | undefined;

/**
 * Closes inherited file descriptors with high numbers. Each number below them costs work at every spawn, and
 * near the limit of open files no program could start (EINVAL). Called before the hub opens such files
 * itself.
 */
export function closeInheritedDescriptors(): void {
  const [, limit = ''] = /^Max open files +(\d+)/m.exec(readKernelFile('/proc/self/limits')) ?? [];
  const max = Math.min(MAX_INHERITED, Math.floor((Number(limit) || MAX_INHERITED) / 2));
  for (const number of inheritedDescriptors()) if (number >= max) closeSync(number);
}

/**
 * Spawns a program as leader of its own session and process group. It inherits only its standard streams;
 * /dev/null replaces every other inherited file descriptor. Throws the errors of `spawn`.
 */
export function spawnIsolated(
  exec: readonly string[],
  streams: Stdio,
  options: Pick<SpawnOptions, 'cwd' | 'env'>,
): ChildProcess {
  const [program = '', ...parameters] = exec;
  inherited ??= inheritedDescriptors();
  const all: StdioEntry[] = [...streams];
  const devNull = inherited.length === 0 ? undefined : openSync('/dev/null', constants.O_RDWR);
  try {
    if (devNull !== undefined) {
      for (let number = all.length; number <= Math.max(...inherited); number += 1)
        all.push(inherited.includes(number) ? devNull : 'ignore');
    }
    const child = spawn(program, parameters, { ...options, detached: true, stdio: all });
    if (child.pid !== undefined) preferAsOomVictim(child.pid);
    return child;
  } finally {
    if (devNull !== undefined) closeSync(devNull);
  }
}

function inheritedDescriptors(): number[] {
  const open = readdirSync('/proc/self/fdinfo').map(Number);
  return open.filter(number => number >= FIRST_NON_STANDARD && isInherited(number));
}

function isInherited(number: number): boolean {
  try {
    const [, flags = ''] = /^flags:\s+([0-7]+)$/m.exec(readKernelFile(`/proc/self/fdinfo/${number}`)) ?? [];
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch (error) {
    // The file descriptor of the listing itself is closed by now.
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
