import { megabytes, print, printTable, whole } from '../report.ts';
import type { Figures } from './child.ts';
import { runChild } from './child.ts';
import { inFolder } from './folder.ts';

const MESSAGES = 10_000_000;
const MARKS = [100_000, 1_000_000, 2_000_000, 5_000_000, MESSAGES];
const SUBJECTS = ['skerry', 'better-sqlite3', 'bare file'] as const;

/** Maximum bytes of the store's folder that are the goal. */
const WANTED = 64_000_000;

function churn(subject: string): Promise<Figures> {
  return inFolder(folder => runChild('churn.ts', [subject, folder, String(MESSAGES)]));
}

/** Measures the size of the files while ten million messages pass through a queue of bounded depth. */
export async function reuse(): Promise<string[]> {
  const figures = new Map<string, Figures>();
  for (const subject of SUBJECTS) figures.set(subject, await churn(subject));
  print(
    `${whole(MESSAGES)} messages through a queue that holds 5,000 to 10,000: MB of files when so many have left,\n` +
      'the most at any time, and after it was drained and closed; messages a second, in and out. 1,000 per\n' +
      'transaction of better-sqlite3 and of the file, which lets nothing go; up to 1,000 at a time into skerry.\n',
  );
  const rows = Array.from(figures, ([subject, { of }]) => [
    subject,
    ...MARKS.map(mark => megabytes(of(`size-${mark}`))),
    megabytes(of('largest')),
    megabytes(of('closed')),
    whole(of('speed')),
  ]);
  printTable(['', ...MARKS.map(whole), 'most', 'closed', 'messages/s'], rows);
  const largest = (subject: string): number => figures.get(subject)?.of('largest') ?? Number.NaN;
  return [
    `${whole(MESSAGES)} messages: ${megabytes(largest('skerry'))} MB at most (wanted: at most ${megabytes(WANTED)}), ` +
      `${(largest('skerry') / largest('better-sqlite3')).toFixed(2)} of better-sqlite3's`,
  ];
}
