import { COMMIT_WINDOW_MS } from '../../src/manifest/limits.ts';
import { print, printTable, whole } from '../report.ts';
import type { Figures } from './child.ts';
import { runChild } from './child.ts';
import { inFolder } from './folder.ts';
import { PAYLOAD, TOPIC } from './messages.ts';

/**
 * Run of open-loop.ts: its minimum seconds, its maximum seconds if no checkpoint happens, and the goal.
 * `wanted` is undefined if there is no goal.
 */
type Run = {
  readonly subject: string;
  readonly rate: number;
  readonly least: number;
  readonly most: number;
  readonly wanted?: string;
};

const RUNS: readonly Run[] = [
  { subject: 'skerry', rate: 1, least: 20, most: 20 },
  { subject: 'skerry', rate: 10, least: 15, most: 45 },
  { subject: 'skerry', rate: 100, least: 8, most: 30, wanted: 'at most 8' },
  { subject: 'skerry', rate: 1_000, least: 8, most: 20 },
  { subject: 'skerry, receiver', rate: 100, least: 10, most: 10, wanted: '0' },
  { subject: 'better-sqlite3', rate: 100, least: 15, most: 15 },
  { subject: 'bare file', rate: 100, least: 5, most: 5 },
];

const EXPLANATION = `Bytes written per byte of payload (${PAYLOAD} bytes a message, topic of ${TOPIC.length}): by the process as
/proc/self/io counts it, by everyone on the device (its file system's journal included), and by the store's own
count. Window ${COMMIT_WINDOW_MS} ms; the peers have none: a commit for each message, at any rate. A kernel that caches files in
large folios charges a process for whole ones, though it writes no more than the blocks that changed: then
the device is right, if nothing else uses it.
`;

function measure({ subject, rate, least, most }: Run): Promise<Figures> {
  const pace = [rate, least, most].map(String);
  return inFolder(folder => runChild('open-loop.ts', [subject, folder, ...pace]));
}

/** Formats a figure. Empty if the subject does not count it. */
function fixed(value: number): string {
  return Number.isNaN(value) ? '' : value.toFixed(2);
}

/** Measures the bytes written per byte of payload. Each run is a separate process. */
export async function writes(): Promise<string[]> {
  const rows: string[][] = [];
  const ratios: string[] = [];
  for (const run of RUNS) {
    const { of } = await measure(run);
    const { subject, rate, wanted } = run;
    const counts = ['process', 'device', 'counted'].map(name => fixed(of(name)));
    rows.push([subject, whole(rate), whole(of('messages')), whole(of('checkpoints')), ...counts]);
    if (wanted === undefined) continue;
    ratios.push(
      `${subject}, ${whole(rate)} messages/s: ${counts[0]} bytes written per byte of payload by /proc/self/io, ` +
        `${counts[1]} by the device, ${counts[2]} by its own count (wanted: ${wanted})`,
    );
  }
  print(EXPLANATION);
  printTable(['', 'messages/s', 'messages', 'checkpoints', 'process', 'device', 'own count'], rows);
  return ratios;
}
