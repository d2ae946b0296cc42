import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

/** Milliseconds after which a test file is killed, because it hangs. */
const FILE_TIMEOUT_MS = 420_000;

/**
 * Milliseconds that a test file may run on after its totals. What a failed test left open would keep it
 * alive.
 */
const EXIT_TIMEOUT_MS = 20_000;

/** Test files that are listed at the end, slowest first. */
const SLOWEST = 10;

/** Folders whose tests run the built binary, real servers or long campaigns. `--unit` leaves them out. */
const SLOW_FOLDERS = ['test/e2e/', 'test/campaigns/', 'test/build/'];

/** Folder of lmdb's native part as the build has patched it: the sources load the same part as the binary. */
const LMDB = join(import.meta.dirname, '../node_modules/.cache/skerry', `lmdb-${process.arch}`);

const env = { ...process.env, LMDB_PREBUILD: LMDB };

type Outcome = {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
  readonly durationMs: number;
};

/** Runs one test file in a process of its own and counts the tests that it reports. */
function runFile(file: string): Promise<Outcome> {
  const started = performance.now();
  const child = spawn(process.execPath, [file], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: FILE_TIMEOUT_MS,
  });
  let output = '';
  let exitTimer: NodeJS.Timeout | undefined;
  const kill = (): void => {
    output += `killed ${EXIT_TIMEOUT_MS / 1000} s after its totals: a server, socket or child is still open\n`;
    child.kill('SIGKILL');
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      clearTimeout(exitTimer);
      if (/Duration: .*\s*$/.test(output.slice(-100))) exitTimer = setTimeout(kill, EXIT_TIMEOUT_MS);
    });
  }
  return new Promise(resolve => {
    child.on('close', (code, signal) => {
      clearTimeout(exitTimer);
      const outcome = { file, ...countTests(output, code), durationMs: performance.now() - started };
      report(outcome);
      if (outcome.failed > 0) process.stdout.write(`${output}\nexit ${signal ?? code}\n`);
      resolve(outcome);
    });
  });
}

function report({ file, passed, failed, skipped, durationMs }: Outcome): void {
  const word = failed > 0 ? 'FAILED' : 'ok';
  process.stdout.write(`${word.padEnd(6)} ${file} (${passed} passed, ${(durationMs / 1000).toFixed(1)} s)\n`);
  for (const reason of skipped) process.stdout.write(`       skipped: ${reason}\n`);
}

/**
 * Totals of uvu's output. A file that ends badly without them, or that ran no test, counts as one failure.
 */
function countTests(output: string, code: number | null): Pick<Outcome, 'passed' | 'failed' | 'skipped'> {
  const total = (word: string): number => {
    let sum = 0;
    for (const [, count] of output.matchAll(new RegExp(`^\\s+${word}:\\s+(\\d+)$`, 'gm')))
      sum += Number(count);
    return sum;
  };
  const skipped = Array.from(output.matchAll(/^skipped: (.+)$/gm), ([, reason]) => reason ?? '');
  const [all, passed] = [total('Total'), total('Passed')];
  const failed = Math.max(all - passed, code === 0 && all + skipped.length > 0 ? 0 : 1);
  // uvu counts a test that printed "skipped" as passed.
  return { passed: Math.max(0, passed - skipped.length), failed, skipped };
}

/** Folder of tests that run in a virtual machine only, so a word of their path does not select them. */
const VM_FOLDER = 'test/campaigns/vm/';

/**
 * Test files that a file name or a word of a path selects, in an order that starts the slowest folders first.
 */
function select(words: readonly string[]): string[] {
  const unit = words.includes('--unit');
  const wanted = words.filter(word => word !== '--unit');
  const isSlow = (file: string): boolean => SLOW_FOLDERS.some(folder => file.startsWith(folder));
  const all = globSync('**/*.test.ts', { cwd: dirname(process.argv[1] ?? '.') }).map(file => `test/${file}`);
  const chosen = all
    .filter(file => !(unit && isSlow(file)))
    .filter(file => wanted.length === 0 || wanted.some(word => file.includes(word)));
  const forVm = wanted.filter(word => word.startsWith(VM_FOLDER) && existsSync(word));
  const unknown = wanted.find(word => !forVm.includes(word) && !all.some(file => file.includes(word)));
  if (unknown !== undefined) {
    const hint = existsSync(unknown) ? 'is not a test file' : 'is in the path of no test file';
    process.stdout.write(`"${unknown}" ${hint}: give a file, or a word of a path under test/.\n`);
    process.exit(2);
  }
  return [...forVm, ...chosen].sort((a, b) => Number(isSlow(b)) - Number(isSlow(a)) || (a < b ? -1 : 1));
}

async function runAll(files: readonly string[]): Promise<Outcome[]> {
  const waiting = [...files];
  const outcomes: Outcome[] = [];
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
      outcomes.push(await runFile(file));
  };
  // One more than there are cores, because a test file often waits for a process or a timer.
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, worker));
  return outcomes;
}

const outcomes = await runAll(select(process.argv.slice(2)));
const slowest = outcomes.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST);
const sum = (count: (outcome: Outcome) => number): number =>
  outcomes.reduce((all, one) => all + count(one), 0);
const [passed, failed, skipped] = [sum(o => o.passed), sum(o => o.failed), sum(o => o.skipped.length)];
process.stdout.write('\nSlowest:\n');
for (const { file, durationMs } of slowest)
  process.stdout.write(`${(durationMs / 1000).toFixed(1).padStart(7)} s  ${file}\n`);
for (const { file } of outcomes.filter(one => one.failed > 0)) process.stdout.write(`FAILED ${file}\n`);
const skips = skipped > 0 ? `, ${skipped} skipped` : '';
process.stdout.write(`\n${passed} passed, ${failed} failed${skips}\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
