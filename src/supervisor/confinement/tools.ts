import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';

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
 * hinders it. The answer is kept under `name`, for it stays true until the next boot.
 */
export type Probe = (name: string, command: readonly string[]) => Promise<string | undefined>;

export function createProbe(clock: Clock): Probe {
  const answers = new Map<string, Promise<string | undefined>>();
  return (name, command) => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const answer = tryOut(command, clock);
    answers.set(name, answer);
    return answer;
  };
}

async function tryOut(command: readonly string[], clock: Clock): Promise<string | undefined> {
  const [program = '', ...parameters] = command;
  const child = spawn(program, [...parameters, tool('true')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {},
  });
  const cancel = clock.after(PROBE_MOST, () => child.kill('SIGKILL'));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, COMPLAINT_MOST);
  });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  child.once('error', () => resolve(`${program} is not installed`));
  child.once('close', code => resolve(code === 0 ? undefined : (firstLine(said) ?? `${program} failed`)));
  const answer = await promise;
  cancel();
  return answer;
}

function firstLine(text: string): string | undefined {
  const [line = ''] = text.split('\n');
  return line.trim() === '' ? undefined : line.trim();
}
