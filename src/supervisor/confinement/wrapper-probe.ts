import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { signalGroup } from '../process/process-group.ts';
import { spawnAlone } from '../process/spawn.ts';

/** Where Debian keeps them; a module's own PATH does not matter. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** Milliseconds that a probe may take. */
const PROBE_MOST = 5_000;

/** Characters of what a tool says that are kept. */
const COMPLAINT_MOST = 200;

/** Where a tool of the system is; its bare name if it is not there, and then it cannot be started. */
export function tool(name: string): string {
  return FOLDERS.map(folder => join(folder, name)).find(existsSync) ?? name;
}

/**
 * Tries whether programs can be started behind a command line, by starting one that does nothing; resolves with what
 * hinders it. That nothing does is kept under `name`, for it stays true until the next boot; a hindrance may pass.
 */
export type Probe = (name: string, command: readonly string[]) => Promise<string | undefined>;

export function createProbe(clock: Clock): Probe {
  const answers = new Map<string, Promise<string | undefined>>();
  return (name, command) => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const answer = tryOut(command, clock).then(hindrance => {
      if (hindrance !== undefined) answers.delete(name);
      return hindrance;
    });
    answers.set(name, answer);
    return answer;
  };
}

/** Never rejects. A tool that hangs is left behind: a stuck disk may hold even its death up. */
async function tryOut(command: readonly string[], clock: Clock): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const [program] = command;
  let child: ChildProcess;
  try {
    child = spawnAlone([...command, tool('true')], ['ignore', 'ignore', 'pipe'], { env: {}, cwd: '/' });
  } catch (error) {
    return reasonOf(error);
  }
  const { pid, stderr } = child;
  let said = '';
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, COMPLAINT_MOST);
  });
  child.once('error', error => {
    resolve(systemCode(error) === 'ENOENT' ? `${program} is not installed` : reasonOf(error));
  });
  child.once('close', code => resolve(code === 0 ? undefined : (firstLine(said) ?? `${program} failed`)));
  const cancel = clock.after(PROBE_MOST, () => {
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
    stderr?.destroy();
    resolve(`${program} took too long`);
  });
  const answer = await promise;
  cancel();
  return answer;
}

function firstLine(text: string): string | undefined {
  const [line = ''] = text.split('\n');
  return line.trim() === '' ? undefined : line.trim();
}
