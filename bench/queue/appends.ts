import { print, printTable, whole } from '../report.ts';
import type { Figures } from './child.ts';
import { runChild } from './child.ts';
import { inFolder } from './folder.ts';

const BATCHES = [1, 20, 100, 1_000];
const ROUNDS = 5;

/** Messages per commit for which there is a goal. */
const MEASURE = 100;

/** Goals for the ratios of the appends to better-sqlite3 and to the bare file. */
const WANTED = ' (wanted: at least 1.5 and 0.5)';

function against({ of }: Figures, batch: number): string {
  const ratio = (name: string): string => of(name).toFixed(2);
  return (
    `${whole(batch)} per commit: appends ${ratio('appends-to-sqlite')} of better-sqlite3's and ` +
    `${ratio('appends-to-file')} of the bare file's${batch === MEASURE ? WANTED : ''}, ` +
    `drains ${ratio('drains-to-sqlite')} of better-sqlite3's`
  );
}

/** Measures the messages per second that are appended and removed, by the size of a commit. */
export async function appends(): Promise<string[]> {
  const figures = new Map<number, Figures>();
  for (const batch of BATCHES) {
    const measured = await inFolder(folder =>
      runChild('throughput.ts', [folder, String(batch), String(ROUNDS)]),
    );
    figures.set(batch, measured);
  }
  print(`Durable messages a second, medians of ${ROUNDS} rounds.\n`);
  const columns = ['skerry-appends', 'sqlite-appends', 'file-appends', 'skerry-drains', 'sqlite-drains'];
  printTable(
    [
      ...['per commit', 'skerry appends', 'better-sqlite3', 'bare file', 'skerry drains', 'better-sqlite3'],
      'in a commit of skerry',
    ],
    Array.from(figures, ([batch, { of }]) => [
      whole(batch),
      ...columns.map(name => whole(of(name))),
      of('skerry-appends-batch').toFixed(1),
    ]),
  );
  return Array.from(figures, ([batch, measured]) => against(measured, batch));
}
