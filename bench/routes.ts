import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { median, print, printTable, ratiosOf } from './report.ts';
import { CASES } from './routes/cases.ts';

/*
 * node bench/routes.ts [ROUNDS]
 *
 * Measures the cost of evaluating routes for a message, in comparison with an equivalent hand-written
 * function, jsonata, json-logic-js and filtrex. All engines run in turn, each in its own process. Prints
 * nanoseconds per message, then the ratios.
 */
const ROUNDS = Number(process.argv[2] ?? 7);
const OTHERS = ['jsonata', 'json-logic-js', 'filtrex'];

/** Maximum cost relative to the hand-written function that is the goal, by case. */
const WANTED: Readonly<Record<string, number>> = {
  'a property': 1.5,
  'three properties': 1.5,
  'a body value, 100 bytes': 1.2,
  'two body values, 500 bytes': 1.2,
};
const WANTED_TIMES_JSONATA = 20;
const WANTED_HUNDRED = 1.5;

function measure(caseName: string, subject: string): number {
  const child = join(import.meta.dirname, 'routes/child.ts');
  return Number(execFileSync(process.execPath, [child, caseName, subject], { encoding: 'utf8' }));
}

print(
  `node ${process.versions.node}, ${process.arch}, ${availableParallelism()} cores (${cpus()[0]?.model})\n`,
);
const measured = new Map<string, number[]>();
const names = Object.keys(CASES);
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, { jsonata }] of Object.entries(CASES)) {
    for (const subject of ['skerry', 'hand', ...(jsonata === undefined ? [] : OTHERS)]) {
      const key = `${name}: ${subject}`;
      measured.set(key, [...(measured.get(key) ?? []), measure(name, subject)]);
    }
  }
}

const of = (name: string, subject: string): readonly number[] => measured.get(`${name}: ${subject}`) ?? [];
const shown = (values: readonly number[]): string => (values.length === 0 ? '' : median(values).toFixed(0));
printTable(
  ['ns a message', 'skerry', 'by hand', ...OTHERS],
  names.map(name => [name, ...['skerry', 'hand', ...OTHERS].map(subject => shown(of(name, subject)))]),
);

const ratio = (one: readonly number[], other: readonly number[]): number => median(ratiosOf(one, other));
for (const name of names) {
  const wanted = WANTED[name];
  const goal = wanted === undefined ? '' : ` (wanted: at most ${wanted})`;
  print(`${name}: ${ratio(of(name, 'skerry'), of(name, 'hand')).toFixed(2)} times the hand-written${goal}`);
}
for (const name of Object.keys(WANTED)) {
  const times = ratio(of(name, 'jsonata'), of(name, 'skerry')).toFixed(1);
  print(`${name}: ${times} times faster than jsonata (wanted: ${WANTED_TIMES_JSONATA})`);
}
const hundred = ratio(of('100 routes, one of this source', 'skerry'), of('a property', 'skerry'));
print(
  `100 routes of which one can match: ${hundred.toFixed(2)} times one (wanted: at most ${WANTED_HUNDRED})`,
);
