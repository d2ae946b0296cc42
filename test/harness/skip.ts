import { spawn } from 'node:child_process';

export type Ended = { readonly code: number | null; readonly said: string };

/**
 * Runs a hub by `command` until it listens, waits for `meanwhile`, and ends it with SIGTERM. Resolves to its
 * exit code and what it said, also if it ends by itself.
 */
export async function runHub(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  meanwhile: (said: () => string) => Promise<void> = async () => {},
): Promise<Ended> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code, said }));
  });
  const listening = new Promise<'listening'>(resolve => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes(' listens on ')) resolve('listening');
    });
  });
  try {
    if ((await Promise.race([listening, ended])) === 'listening') await meanwhile(() => said);
  } finally {
    child.kill('SIGTERM');
  }
  return ended;
}

/** Says that a test cannot be done here, and why, on a line of its own; the runner counts it. */
export function skip(reason: string): void {
  process.stdout.write(`\nskipped: ${reason}\n`);
}
