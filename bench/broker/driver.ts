import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';

/** Processor core of the load. The broker runs on the other core. */
const LOAD_CORE = '1';

/** Description of the machine and the runtime. */
export const MACHINE = `node ${process.versions.node}, ${process.arch}, ${availableParallelism()} cores (${cpus()[0]?.model})`;

/** Runs a load program of this folder on its core. Returns the number at the end of each printed line. */
export function loadWith(program: string, figures: readonly (number | string)[]): number[] {
  return linesOf(program, figures).map(line => Number(line.split(' ').at(-1)));
}

/** Runs a load program of this folder on its core. Returns the printed lines. */
export function linesOf(program: string, figures: readonly (number | string)[]): string[] {
  const load = [process.execPath, join(import.meta.dirname, program)];
  const text = execFileSync('taskset', ['-c', LOAD_CORE, ...load, ...figures.map(String)], {
    timeout: 300_000,
  }).toString();
  return text.trim().split('\n');
}
