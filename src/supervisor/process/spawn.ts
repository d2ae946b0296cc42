import type { ChildProcess, SpawnOptions, StdioNull, StdioPipe } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { maxOpenFiles, readKernelFile } from '../../core/proc.ts';
import { preferAsOomVictim } from './oom-score.ts';

/**
 * Standard input, output and error of a child process. A number is a file descriptor of the hub that the
 * child inherits as this stream.
 */
export type Stdio = readonly [StdioEntry, StdioEntry, StdioEntry];
type StdioEntry = StdioNull | StdioPipe | number;

/** Flag in /proc/self/fdinfo. A file descriptor with this flag is not inherited by child processes. */
const O_CLOEXEC = 0o2000000;

/** Lowest file descriptor that is not a standard stream. */
const FIRST_NON_STANDARD = 3;

/** Inherited file descriptors with this number or a higher number are closed. */
const MAX_INHERITED = 1_024;

/**
 * File descriptors that were opened without O_CLOEXEC, so that child processes would inherit them. LMDB opens
 * its file in this way, and the hub's parent process possibly left other files open. The list is made only
 * once, because all of these files are open before the first module starts.
 */
let inherited: readonly number[] | undefined;

/**
 * Closes inherited file descriptors with high numbers. Otherwise `spawnIsolated` would have to pass a list
 * with an entry for every lower number to `spawn`. A long list costs time. If the list is nearly as long as
 * the limit of open files, `spawn` fails with EINVAL. Must be called before the hub opens files without
 * O_CLOEXEC.
 */
export function closeInheritedDescriptors(): void {
  const max = Math.min(MAX_INHERITED, Math.floor(maxOpenFiles() / 2));
  for (const descriptor of inheritedDescriptors()) if (descriptor >= max) closeSync(descriptor);
}

/**
 * Spawns a program as leader of its own session and process group. The program inherits only its standard
 * streams. Every other file descriptor that the program would inherit is replaced by /dev/null. Throws the
 * errors of `spawn`.
 */
export function spawnIsolated(
  exec: readonly string[],
  streams: Stdio,
  options: Pick<SpawnOptions, 'cwd' | 'env'>,
): ChildProcess {
  const [program = '', ...parameters] = exec;
  inherited ??= inheritedDescriptors();
  const allStreams: StdioEntry[] = [...streams];
  const devNull = inherited.length === 0 ? undefined : openSync('/dev/null', constants.O_RDWR);
  try {
    if (devNull !== undefined) {
      for (let descriptor = allStreams.length; descriptor <= Math.max(...inherited); descriptor += 1)
        allStreams.push(inherited.includes(descriptor) ? devNull : 'ignore');
    }
    const child = spawn(program, parameters, { ...options, detached: true, stdio: allStreams });
    if (child.pid !== undefined) preferAsOomVictim(child.pid);
    return child;
  } finally {
    if (devNull !== undefined) closeSync(devNull);
  }
}

function inheritedDescriptors(): number[] {
  const open = readdirSync('/proc/self/fdinfo').map(Number);
  return open.filter(descriptor => descriptor >= FIRST_NON_STANDARD && isInherited(descriptor));
}

function isInherited(descriptor: number): boolean {
  try {
    const [, flags = ''] =
      /^flags:\s+([0-7]+)$/m.exec(readKernelFile(`/proc/self/fdinfo/${descriptor}`)) ?? [];
    return (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch (error) {
    // The list of open descriptors includes the descriptor of the listed folder itself. This descriptor is
    // already closed at this point.
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
