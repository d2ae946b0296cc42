import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { COMMIT_WINDOW_MS } from '../../src/manifest/limits.ts';
import { median, percentile, print, printTable } from '../report.ts';
import { inFolder } from './folder.ts';
import { openFile, openSqlite } from './stores/peers.ts';
import type { Skerry } from './stores/skerry.ts';
import { openSkerry } from './stores/skerry.ts';

/** Number of appends to an idle store. */
const QUIET = 200;

/** Number of appends one after another without a pause. */
const CLOSED = 1_000;

/** Number of appends one after another to a store with a commit window. The window delays each append. */
const CLOSED_WITH_WINDOW = 100;

/** Milliseconds without an append after which a store is idle. */
const QUIET_TIME = COMMIT_WINDOW_MS + 20;

type Append = () => void | Promise<void>;

async function timed(append: Append): Promise<number> {
  const started = performance.now();
  await append();
  return performance.now() - started;
}

async function oneAfterAnother(count: number, append: Append): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) times.push(await timed(append));
  return times;
}

function appendTo(queue: Skerry): Append {
  return () => new Promise(resolve => queue.append(resolve));
}

async function measure(folder: string): Promise<Map<string, number[]>> {
  for (const name of ['skerry', 'eager', 'sqlite', 'file']) mkdirSync(join(folder, name));
  const queue = await openSkerry(join(folder, 'skerry'), COMMIT_WINDOW_MS);
  const eager = await openSkerry(join(folder, 'eager'), 0);
  const sqlite = openSqlite(join(folder, 'sqlite'));
  const file = openFile(join(folder, 'file'));
  const skerry = `skerry, window ${COMMIT_WINDOW_MS} ms`;
  const subjects: readonly (readonly [name: string, append: Append, closed: number])[] = [
    [skerry, appendTo(queue), CLOSED_WITH_WINDOW],
    ['skerry, window 0', appendTo(eager), CLOSED],
    ['better-sqlite3', () => sqlite.append(1), CLOSED],
    ['bare file', () => file.append(1), CLOSED],
  ];
  const times = new Map<string, number[]>();
  for (const [name] of subjects) times.set(`${name}; quiet`, []);
  for (let round = 0; round < QUIET; round++) {
    for (const [name, append] of subjects) {
      await pause(QUIET_TIME / subjects.length);
      times.get(`${name}; quiet`)?.push(await timed(append));
    }
  }
  for (const [name, append, closed] of subjects) {
    times.set(`${name}; one after another`, await oneAfterAnother(closed, append));
  }
  await queue.close();
  await eager.close();
  sqlite.close();
  file.close();
  return times;
}

/** Measures the time from an append until it is durable. */
export async function latency(): Promise<string[]> {
  const times = await inFolder(measure);
  print(`Milliseconds of one durable append; quiet: nothing came for ${QUIET_TIME} ms.\n`);
  const rows = [...times].map(([name, values]) => [
    name,
    String(values.length),
    median(values).toFixed(2),
    percentile(values, 0.99).toFixed(2),
  ]);
  printTable(['', 'appends', 'p50', 'p99'], rows);
  return [];
}
