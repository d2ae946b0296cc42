import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

/** Milliseconds between two samples of the memory of a process. */
const SAMPLE = 20;

/**
 * Folder of the bundled programs. It has the same depth below the root as this folder, so that relative paths
 * stay valid.
 */
const BUNDLES = resolve(import.meta.dirname, '../../dist/bench-queue');

/**
 * Figures that a child process has printed, by name, and the memory of the child that the parent has
 * measured.
 */
export type Figures = {
  /**
   * Returns a figure.
   * @throws if the child has not printed it
   */
  readonly of: (name: string) => number;
  /** Maximum bytes of anonymous memory after the child has printed its first figure. */
  readonly peak: number;
};

/** Returns the anonymous memory of a process in bytes, or 0 if it has ended. */
function anonymousMemory(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Prints a figure for the parent. Called in a child process. */
export function tell(name: string, value: number): void {
  process.stdout.write(`${name} ${value}\n`);
}

/** Prints the current anonymous memory of this process. Called in a child process. */
export function tellMemory(): void {
  tell('memory', anonymousMemory(process.pid));
}

/**
 * Bundles a program of this folder into one JavaScript file. Otherwise Node would strip types at run time,
 * which takes 30 MB and would hide the memory of the store.
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

/**
 * Runs a program of this folder to its end, with the V8 flags of the binary.
 * @throws if the program fails
 */
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
      if (value === undefined) throw new Error(`${program} ${args.join(' ')} did not print "${name}".`);
      return value;
    },
    peak,
  };
}
