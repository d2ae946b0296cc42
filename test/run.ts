import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/** Milliseconds one file may take: beyond it, it hangs. */
const FILE_TIMEOUT = 240_000;

type Outcome = { readonly file: string; passed: number; failed: number; skipped: string[] };

/** Folder of lmdb's native part as the build has patched it: the sources load what the binary holds. */
const LMDB = join(import.meta.dirname, '../node_modules/.cache/skerry', `lmdb-${process.arch}`);

const env = { ...process.env, LMDB_PREBUILD: LMDB };

/** Runs one test file in a process of its own and counts what it says it ran. */
function runFile(file: string): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(process.execPath, [file], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: FILE_TIMEOUT,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  return new Promise(resolve => {
    child.on('close', (code, signal) => {
      const outcome = outcomeOf(file, output, code);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const word = outcome.failed > 0 ? 'FAILED' : 'ok';
      process.stdout.write(`${word.padEnd(6)} ${file} (${outcome.passed} passed, ${seconds} s)\n`);
      for (const reason of outcome.skipped) process.stdout.write(`       skipped: ${reason}\n`);
      if (outcome.failed > 0) process.stdout.write(`${output}\nexit ${signal ?? code}\n`);
      resolve(outcome);
    });
  });
}

/** uvu's own totals; a file that ends badly without them, or ran nothing, is one failure. */
function outcomeOf(file: string, output: string, code: number | null): Outcome {
  const total = (word: string): number => {
    let sum = 0;
    for (const [, count] of output.matchAll(new RegExp(`^\\s+${word}:\\s+(\\d+)$`, 'gm')))
      sum += Number(count);
    return sum;
  };
  const skipped = Array.from(output.matchAll(/^skipped: (.+)$/gm), ([, reason]) => reason ?? '');
  const [all, passed] = [total('Total'), total('Passed')];
  const failed = Math.max(all - passed, code === 0 && all + skipped.length > 0 ? 0 : 1);
  // A test that had to say "skipped" ran to its end, and is not one that passed.
  return { file, passed: Math.max(0, passed - skipped.length), failed, skipped };
}

async function runAll(files: readonly string[]): Promise<Outcome[]> {
  const waiting = [...files];
  const outcomes: Outcome[] = [];
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
      outcomes.push(await runFile(file));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return outcomes;
}

const wanted = process.argv.slice(2);
const files = wanted.length > 0 ? wanted : globSync('**/*.test.ts', { cwd: dirname(process.argv[1] ?? '.') });
const paths = wanted.length > 0 ? files : files.sort().map(file => `test/${file}`);
const outcomes = await runAll(paths);
const sum = (count: (outcome: Outcome) => number): number =>
  outcomes.reduce((all, one) => all + count(one), 0);
const [passed, failed, skipped] = [sum(o => o.passed), sum(o => o.failed), sum(o => o.skipped.length)];
const skips = skipped > 0 ? `, ${skipped} skipped` : '';
process.stdout.write(`\n${passed} passed, ${failed} failed${skips}\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
