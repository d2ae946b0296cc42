import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

/** Milliseconds between two looks at a process's memory. */
const SAMPLE = 20;

/** As far from the root as this folder is: what a program finds beside itself it finds from there too. */
const BUNDLES = resolve(import.meta.dirname, '../../dist/bench-queue');

/** Figures of a child process by name, and its memory as measured from outside. */
export type Figures = {
  /** @throws if the child did not say it */
  readonly of: (name: string) => number;
  /** The most anonymous memory it held at any time after it said its first figure, in bytes. */
  readonly peak: number;
};

/** Anonymous memory of a process in bytes; 0 if it has ended. */
function anonymousMemory(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** In a child: says a figure to the parent. */
export function tell(name: string, value: number): void {
  process.stdout.write(`${name} ${value}\n`);
}

/** In a child: says how much anonymous memory it holds now. */
export function tellMemory(): void {
  tell('memory', anonymousMemory(process.pid));
}

/**
 * A program of this folder as one JavaScript file: to strip types takes 30 MB that would hide what the store
 * takes.
 */
function bundle(program: string): string {
  const outfile = join(BUNDLES, `${basename(program, '.ts')}.mjs`);
  buildSync({
    entryPoints: [join(import.meta.dirname, program)],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  });
  return outfile;
}

/** Runs a program of this folder to its end with V8 set as in the binary. @throws if it fails */
export async function runChild(program: string, args: readonly string[]): Promise<Figures> {
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=1', '--v8-pool-size=1', bundle(program), ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  let peak = 0;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (text === '') peak = 0;
    text += chunk;
  });
  const sampler = setInterval(() => {
    if (child.pid !== undefined) peak = Math.max(peak, anonymousMemory(child.pid));
  }, SAMPLE);
  const [code, signal] = await once(child, 'close');
  clearInterval(sampler);
  if (code !== 0 && signal !== 'SIGKILL') {
    throw new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}.`);
  }
  const figures = new Map(text.split('\n').map(line => [line.split(' ')[0], Number(line.split(' ')[1])]));
  return {
    of: name => {
      const value = figures.get(name);
      if (value === undefined) throw new Error(`${program} ${args.join(' ')} did not tell its ${name}.`);
      return value;
    },
    peak,
  };
}
