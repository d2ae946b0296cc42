import { spawn } from 'node:child_process';

/** Exit code and standard error of a hub. */
export type HubResult = {
  readonly code: number | null;
  readonly stderr: string;
};

/**
 * Starts a hub by `command`, waits until it listens and `meanwhile` resolves, and ends it with SIGTERM.
 * Resolves to its exit code and standard error, also if it exits by itself.
 */
export async function runHub(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  meanwhile: (stderr: () => string) => Promise<void> = async () => {},
): Promise<HubResult> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  const ended = new Promise<HubResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code, stderr }));
  });
  const listening = new Promise<'listening'>(resolve => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (stderr.includes(' listens on ')) resolve('listening');
    });
  });
  try {
    if ((await Promise.race([listening, ended])) === 'listening') await meanwhile(() => stderr);
  } finally {
    child.kill('SIGTERM');
  }
  return ended;
}

/** Reports on one line that a test is skipped on this machine, and why. The runner counts these lines. */
export function skip(reason: string): void {
  process.stdout.write(`\nskipped: ${reason}\n`);
}
