import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';

/** The broker has the other core. */
const LOAD_CORE = '1';

/** Machine and runtime of the measurement. */
export const MACHINE = `node ${process.versions.node}, ${process.arch}, ${availableParallelism()} cores (${cpus()[0]?.model})`;

/**
 * Runs a load program of this folder on its core, and returns the number at the end of each line that it
 * printed.
 */
export function loadWith(program: string, figures: readonly (number | string)[]): number[] {
  return linesOf(program, figures).map(line => Number(line.split(' ').at(-1)));
}

/** Lines of figures without a heading. */
export function linesOf(program: string, figures: readonly (number | string)[]): string[] {
  const load = [process.execPath, join(import.meta.dirname, program)];
  const text = execFileSync('taskset', ['-c', LOAD_CORE, ...load, ...figures.map(String)], {
    timeout: 300_000,
  }).toString();
  return text.trim().split('\n');
}
