import type { ChildProcess, SpawnOptions, StdioNull, StdioPipe } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { readKernelFile } from '../../core/proc.ts';

/** Standard input, output and error of a program that is started; a number is that of an open file. */
export type Streams = readonly [Stream, Stream, Stream];
type Stream = StdioNull | StdioPipe | number;

/** The flag of an open file that a program does not inherit (O_CLOEXEC), as the kernel shows it. */
const CLOSED_ON_EXEC = 0o2000000;

const FIRST_BEYOND_STANDARD = 3;

/** The number of an open file from which on one that was left open is closed. */
const FAR = 1_024;

/**
 * Numbers of files that whatever this process starts would inherit: LMDB opens its own so, and so may have whoever
 * started the hub, of which Node marks the first only. Node's own are never among them. Found once, for all of them are
 * open before the first module starts and stay so.
 */
let inherited: readonly number[] | undefined;

/**
 * Closes files that whoever started the hub left open with numbers so high that no program could be started with /dev/null in
 * their place: near the limit of open files the system has no number left to do it with (EINVAL), and far beyond others it
 * costs a step for each number before. Called before the hub has such files of its own.
 */
export function closeFarFiles(): void {
  const [, limit = ''] = /^Max open files +(\d+)/m.exec(readKernelFile('/proc/self/limits')) ?? [];
  const far = Math.min(FAR, Math.floor((Number(limit) || FAR) / 2));
  for (const number of inheritedFiles()) if (number >= far) closeSync(number);
}

/**
 * Starts a program, as the leader of a session and group of its own, that has its standard streams and no other file
 * of this process: in the place of each that it would inherit there is /dev/null. Throws what `spawn` throws.
 */
export function spawnAlone(
  exec: readonly string[],
  streams: Streams,
  options: Pick<SpawnOptions, 'cwd' | 'env'>,
): ChildProcess {
  const [program = '', ...parameters] = exec;
  inherited ??= inheritedFiles();
  const all: Stream[] = [...streams];
  const nothing = inherited.length === 0 ? undefined : openSync('/dev/null', constants.O_RDWR);
  try {
    if (nothing !== undefined) {
      for (let number = all.length; number <= Math.max(...inherited); number += 1)
        all.push(inherited.includes(number) ? nothing : 'ignore');
    }
    return spawn(program, parameters, { ...options, detached: true, stdio: all });
  } finally {
    if (nothing !== undefined) closeSync(nothing);
  }
}

function inheritedFiles(): number[] {
  const open = readdirSync('/proc/self/fdinfo').map(Number);
  return open.filter(number => number >= FIRST_BEYOND_STANDARD && isInherited(number));
}

function isInherited(number: number): boolean {
  try {
    const [, flags = ''] = /^flags:\s+([0-7]+)$/m.exec(readKernelFile(`/proc/self/fdinfo/${number}`)) ?? [];
    return (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) === 0;
  } catch (error) {
    // The folder that was read is no longer open.
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
