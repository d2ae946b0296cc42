import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { signalProcessGroup } from '../process/process-group.ts';
import { spawnIsolated } from '../process/spawn.ts';

/** Debian's program folders. The module's PATH does not matter. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** Timeout of a probe in milliseconds. */
const PROBE_TIMEOUT = 5_000;

/** Characters kept of a toolPath's error output. */
const MAX_ERROR_CHARACTERS = 200;

/** Path of a system toolPath. Its bare name if it is not installed, which cannot be started. */
export function toolPath(name: string): string {
  return FOLDERS.map(folder => join(folder, name)).find(existsSync) ?? name;
}

/**
 * Tests a wrapper command by running `true` behind it. Resolves to the reason of a failure, or to undefined.
 * A success is cached under `name` until reboot; a failure is not, because its cause may go away.
 */
export type WrapperProbe = (name: string, command: readonly string[]) => Promise<string | undefined>;

export function createWrapperProbe(clock: Clock): WrapperProbe {
  const answers = new Map<string, Promise<string | undefined>>();
  return (name, command) => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const answer = tryOut(command, clock).then(problem => {
      if (problem !== undefined) answers.delete(name);
      return problem;
    });
    answers.set(name, answer);
    return answer;
  };
}

/**
 * Never rejects. A toolPath that hangs is abandoned, because a process stuck in disk I/O does not even die.
 */
async function tryOut(command: readonly string[], clock: Clock): Promise<string | undefined> {
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
  const cancel = clock.after(PROBE_TIMEOUT, () => {
    if (pid !== undefined) signalProcessGroup(pid, 'SIGKILL');
    stderr?.destroy();
    resolve(`${program} timed out`);
  });
  const answer = await promise;
  cancel();
  return answer;
}

function firstLine(text: string): string | undefined {
  const [line = ''] = text.split('\n');
  return line.trim() === '' ? undefined : line.trim();
}
