import { join, relative } from 'node:path';

/** Runs `work`, and prints the path of each file in `folder` that it made, or its error. */
export function runScript(script: string, folder: string, work: () => readonly string[]): void {
  try {
    for (const name of work()) process.stdout.write(`${relative('.', join(folder, name))}\n`);
  } catch (thrown) {
    process.stderr.write(`${script}: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    process.exitCode = 1;
  }
}
