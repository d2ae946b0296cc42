import { availableParallelism, cpus } from 'node:os';
import { appends } from './queue/appends.ts';
import { drops } from './queue/drops.ts';
import { latency } from './queue/latency.ts';
import { reuse } from './queue/reuse.ts';
import { waiting } from './queue/waiting.ts';
import { writes } from './queue/writes.ts';
import { print } from './report.ts';

/*
 * node bench/queue.ts [appends|drops|latency|writes|waiting|reuse]
 *
 * Measures the cost of storing messages, in comparison with better-sqlite3 and with a file that is only
 * appended to, in the same run. Prints a table for each question, then all ratios.
 */
const QUESTIONS: Record<string, () => Promise<string[]>> = {
  appends,
  drops,
  latency,
  writes,
  waiting,
  reuse,
};

async function answer(questions: readonly (() => Promise<string[]>)[]): Promise<void> {
  const ratios: string[] = [];
  const { node } = process.versions;
  print(`node ${node}, ${process.arch}, ${availableParallelism()} cores (${cpus()[0]?.model})\n`);
  for (const question of questions) ratios.push(...(await question()));
  for (const ratio of ratios) print(ratio);
}

const names = process.argv.slice(2);
const known = Object.keys(QUESTIONS);
const unknown = names.find(name => !known.includes(name));
try {
  if (unknown !== undefined)
    throw new Error(`There is no question "${unknown}": name some of ${known.join(', ')}, or none.`);
  await answer(
    Object.entries(QUESTIONS).flatMap(([name, question]) =>
      names.length === 0 || names.includes(name) ? [question] : [],
    ),
  );
} catch (thrown) {
  process.stderr.write(`bench: ${thrown instanceof Error ? thrown.message : thrown}\n`);
  process.exitCode = 1;
}
