import { median, megabytes, print, printTable, whole } from '../report.ts';
import type { Figures } from './child.ts';
import { runChild } from './child.ts';
import { inFolder } from './folder.ts';

const MESSAGES = 1_000_000;
const ROUNDS = 7;

/**
 * Number of messages that a process appends before it is killed. These messages almost fill a journal. The
 * next start replays the journal.
 */
const CRASHED = 1_300;

/**
 * Goals for a million messages: maximum bytes of memory in addition to an idle process, and maximum
 * milliseconds of opening in addition to an empty store.
 */
const WANTED = { memory: 24_000_000, opening: 100 };

type Openings = { readonly empty: Figures[]; readonly closed: Figures[]; readonly killed: Figures[] };

function resident(task: string, folder: string, count = 0): Promise<Figures> {
  return runChild('resident.ts', [task, folder, String(count)]);
}

/**
 * Opens stores in turn: an empty store, the full store after a clean close, and the full store after a kill.
 */
async function open(empty: string, full: string): Promise<Openings> {
  const openings: Openings = { empty: [], closed: [], killed: [] };
  await resident('open', empty);
  for (let round = 0; round < ROUNDS; round++) {
    openings.empty.push(await resident('open', empty));
    openings.closed.push(await resident('open', full));
    await resident('crash', full, CRASHED);
    openings.killed.push(await resident('open', full));
  }
  return openings;
}

function medianOf(name: string, figures: readonly Figures[]): number {
  return median(figures.map(({ of }) => of(name)));
}

function printMemory(
  idle: number,
  rows: readonly (readonly [name: string, figures: readonly Figures[]])[],
): void {
  print(
    `${whole(MESSAGES)} messages: anonymous memory in MB, the most and at rest afterwards; over: more than an\n` +
      `empty store's process at rest, ${megabytes(idle)}; messages a second, in or out, with the window of the hub.\n`,
  );
  printTable(
    ['', 'most', 'over', 'at rest', 'over', 'messages/s'],
    rows.map(([name, figures]) => {
      const most = Math.max(...figures.map(({ peak }) => peak));
      const speed = medianOf('speed', figures);
      const bytes = [most, most - idle, medianOf('memory', figures), medianOf('memory', figures) - idle];
      return [name, ...bytes.map(megabytes), speed === 0 ? '' : whole(speed)];
    }),
  );
}

function printOpenings({ empty, closed, killed }: Openings): void {
  print(
    `Milliseconds of opening, medians of ${ROUNDS} rounds, and the most; the files are in the page cache.\n`,
  );
  printTable(
    ['', 'median', 'most'],
    [
      ['empty', empty] as const,
      ['a million waiting, after a clean close', closed] as const,
      ['a million waiting, after a kill', killed] as const,
    ].map(([name, figures]) => {
      const most = Math.max(...figures.map(({ of }) => of('open')));
      return [name, medianOf('open', figures).toFixed(1), most.toFixed(1)];
    }),
  );
}

/** Measures memory and opening time with a million queued messages. */
export async function waiting(): Promise<string[]> {
  return inFolder(empty =>
    inFolder(async full => {
      const appended = await resident('append', full, MESSAGES);
      const openings = await open(empty, full);
      const drained = await resident('drain', full, MESSAGES + ROUNDS * CRASHED);
      const idle = medianOf('memory', openings.empty);
      printMemory(idle, [
        ['opened empty', openings.empty],
        ['opened, a million waiting', openings.closed],
        ['opened, after a kill', openings.killed],
        ['appended them', [appended]],
        ['drained them', [drained]],
      ]);
      printOpenings(openings);
      const over = Math.max(appended.peak, drained.peak) - idle;
      const longer = (figures: readonly Figures[]): string =>
        (medianOf('open', figures) - medianOf('open', openings.empty)).toFixed(0);
      return [
        `a million waiting: ${megabytes(over)} MB at most over idle (wanted: at most ${megabytes(WANTED.memory)})`,
        `opening them: ${longer(openings.closed)} ms longer than opening empty after a clean close, ` +
          `${longer(openings.killed)} ms after a kill (wanted: at most ${WANTED.opening})`,
      ];
    }),
  );
}
