import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/*
 * Measures the cost of an idle hub: the time from exec to listening, and the memory two seconds later. The
 * hub is the built binary with an empty manifest. Compares with `node -e` of the same runtime that listens on
 * a port. Both are measured in turn. The kernel reports the resident memory, the anonymous pages (which it
 * cannot drop) and the file pages (which it can drop).
 */
const ROUNDS = 11;
const SETTLE = 2000;

type Sample = {
  readonly start: number;
  readonly rss: number;
  readonly anonymous: number;
  readonly file: number;
};

const root = resolve(import.meta.dirname, '..');
const skerry = join(root, 'dist/skerry');
const folder = mkdtempSync(join(tmpdir(), 'skerry-footprint-'));
const manifest = join(folder, 'manifest.json');
writeFileSync(manifest, JSON.stringify({ name: 'idle', listeners: [{ mqtt: '127.0.0.1:0' }] }));

const BARE =
  "require('node:net').createServer().listen(0, '127.0.0.1', () => process.stderr.write('listens on'))";
const subjects: Record<string, () => ChildProcess> = {
  skerry: () =>
    spawn(skerry, ['up', manifest, '--data', join(folder, 'data')], { stdio: ['ignore', 'ignore', 'pipe'] }),
  'node -e': () => spawn(process.execPath, ['-e', BARE], { stdio: ['ignore', 'ignore', 'pipe'] }),
};

async function measure(begin: () => ChildProcess): Promise<Sample> {
  const started = performance.now();
  const child = begin();
  let text = '';
  await new Promise<void>((done, fail) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('listens on')) done();
    });
    child.once('exit', code => fail(new Error(`ended with ${code}: ${text}`)));
  });
  const start = performance.now() - started;
  await new Promise(done => setTimeout(done, SETTLE));
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const kilobytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  const sample = {
    start,
    rss: kilobytes('VmRSS'),
    anonymous: kilobytes('RssAnon'),
    file: kilobytes('RssFile'),
  };
  child.removeAllListeners('exit');
  const exited = new Promise(done => child.once('exit', done));
  child.kill('SIGTERM');
  await exited;
  return sample;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

const samples = new Map<string, Sample[]>(Object.keys(subjects).map(name => [name, []]));
for (let round = -1; round < ROUNDS; round++) {
  for (const [name, begin] of Object.entries(subjects)) {
    const sample = await measure(begin);
    // The first round only fills the page cache.
    if (round >= 0) samples.get(name)?.push(sample);
  }
}
rmSync(folder, { recursive: true });

const figures = (name: string): Sample => {
  const all = samples.get(name) ?? [];
  const of = (field: keyof Sample): number => median(all.map(sample => sample[field]));
  return { start: of('start'), rss: of('rss'), anonymous: of('anonymous'), file: of('file') };
};
const megabytes = (kilobytes: number): string => (kilobytes / 1024).toFixed(1);
const [hub, bare] = [figures('skerry'), figures('node -e')];
const size = { skerry: statSync(skerry).size / 1e6, node: statSync(process.execPath).size / 1e6 };

process.stdout.write(`Medians of ${ROUNDS} rounds, node ${process.versions.node}, ${process.arch}\n\n`);
process.stdout.write(
  '|         | exec to listening, ms | RSS, MB | anonymous, MB | file pages, MB | binary, MB |\n',
);
process.stdout.write(
  '|---------|----------------------:|--------:|--------------:|---------------:|-----------:|\n',
);
for (const [name, { start, rss, anonymous, file }, megs] of [
  ['skerry ', hub, size.skerry],
  ['node -e', bare, size.node],
] as const) {
  const cells = [
    start.toFixed(0).padStart(21),
    megabytes(rss).padStart(7),
    megabytes(anonymous).padStart(13),
  ];
  const rest = [megabytes(file).padStart(14), megs.toFixed(1).padStart(10)];
  process.stdout.write(`| ${name} | ${[...cells, ...rest].join(' | ')} |\n`);
}
const ratio = (field: keyof Sample): string => (hub[field] / bare[field]).toFixed(2);
process.stdout.write(
  `\nskerry / node -e: start ${ratio('start')}, RSS ${ratio('rss')}, anonymous ${ratio('anonymous')}\n`,
);
