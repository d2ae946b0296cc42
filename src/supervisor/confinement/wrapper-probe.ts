import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { signalProcessGroup } from '../process/process-group.ts';
import { spawnIsolated } from '../process/spawn.ts';

/** Folders of system programs on Debian. Wrapper programs are searched only in these folders, not in PATH. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** Timeout of a probe in milliseconds. On a slow machine under load, a probe takes several seconds. */
const PROBE_TIMEOUT_MS = 20_000;

/** Maximum characters of a wrapper program's error output that are stored. */
const MAX_ERROR_CHARACTERS = 200;

/** Returns the path of a system program. Returns the bare name if the program is not installed. */
export function toolPath(name: string): string {
  return FOLDERS.map(folder => join(folder, name)).find(existsSync) ?? name;
}

/**
 * Tests a wrapper command by running the program `true` with it. Resolves to the reason of the failure, or to
 * undefined on success. A success is cached under `name` as long as the hub runs. A failure is not cached,
 * because its cause can disappear.
 */
export type WrapperProbe = (name: string, command: readonly string[]) => Promise<string | undefined>;

export function createWrapperProbe(clock: Clock): WrapperProbe {
  const results = new Map<string, Promise<string | undefined>>();
  return (name, command) => {
    const known = results.get(name);
    if (known !== undefined) return known;
    const result = runProbe(command, clock).then(problem => {
      if (problem !== undefined) results.delete(name);
      return problem;
    });
    results.set(name, result);
    return result;
  };
}

/**
 * Runs a wrapper command once. Resolves to the reason of a failure, or to undefined on success. Never
 * rejects. After a timeout, does not wait until the program has exited, because SIGKILL does not end a
 * process that is stuck in disk I/O.
 */
async function runProbe(command: readonly string[], clock: Clock): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const [program] = command;
  let child: ChildProcess;
  try {
    child = spawnIsolated([...command, toolPath('true')], ['ignore', 'ignore', 'pipe'], {
      env: {},
      cwd: '/',
    });
  } catch (error) {
    return reasonOf(error);
  }
  const { pid, stderr } = child;
  let output = '';
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(0, MAX_ERROR_CHARACTERS);
  });
  child.once('error', error => {
    resolve(systemCode(error) === 'ENOENT' ? `${program} is not installed` : reasonOf(error));
  });
  child.once('close', code => resolve(code === 0 ? undefined : (firstLine(output) ?? `${program} failed`)));
  const cancel = clock.after(PROBE_TIMEOUT_MS, () => {
    if (pid !== undefined) signalProcessGroup(pid, 'SIGKILL');
    stderr?.destroy();
    resolve(`${program} timed out`);
  });
  const result = await promise;
  cancel();
  return result;
}

function firstLine(text: string): string | undefined {
  const [line = ''] = text.split('\n');
  return line.trim() === '' ? undefined : line.trim();
}
