import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort, skerry } from '../../harness/binary.ts';

/*
 * npm run floods [-- <seconds> <case>...]
 *
 * Measures the memory of a hub under floods, without a limit and in a control group of 64 MB (version 1).
 * Each case floods a route whose upstream is unreachable, and then starts the upstream. A case is
 * <QoS>x<bytes>x<publishers>. The last line counts the failures: hubs that ended, and acknowledged messages
 * that did not arrive.
 */
const CASES = [
  '0x256x1',
  '0x256x50',
  '0x4096x10',
  '0x61440x1',
  '0x61440x50',
  '1x256x1',
  '1x256x50',
  '1x4096x10',
  '1x61440x1',
  '1x61440x50',
];
const LIMIT = 64 << 20;
const GROUPS = '/sys/fs/cgroup/memory';

/** Milliseconds from the start of a hub until its memory is stable. */
const REST = 3_000;

/** Milliseconds from the end of a load until the memory is read. */
const AFTER = 10_000;

const execute = promisify(execFile);
const here = import.meta.dirname;

type Count = { readonly sent: number; readonly acknowledged: number };
type Came = { readonly inRow: number; readonly all: number };

function anonymous(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Anonymous:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

async function startHub(folder: string, manifest: object, group: string | undefined): Promise<ChildProcess> {
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const command = [skerry, 'up', join(folder, 'manifest.json'), '--data', join(folder, 'data')];
  const enter = group === undefined ? '' : `echo $$ > ${group}/cgroup.procs && `;
  const hub = spawn('sh', ['-c', `${enter}exec "$@"`, 'sh', ...command], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  hub.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
    if (log.length > 1 << 16) log = log.slice(-(1 << 15));
  });
  for (let n = 0; n < 500 && !log.includes(' listens on '); n++) await pause(20);
  if (!log.includes(' listens on ')) throw new Error(`The hub does not listen: ${log}`);
  hub.once('exit', (code, signal) => {
    if (signal !== 'SIGTERM' && code !== 0)
      process.stdout.write(`hub: ${code ?? signal}\n${log.slice(-3000)}\n`);
  });
  return hub;
}

async function flood(text: string, seconds: number, limited: boolean): Promise<number> {
  const [qos = 0, bytes = 0, publishers = 0] = text.split('x').map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'skerry-floods-'));
  const group = limited ? join(GROUPS, `skerry-floods-${process.pid}`) : undefined;
  if (group !== undefined) {
    mkdirSync(group);
    writeFileSync(join(group, 'memory.limit_in_bytes'), String(LIMIT));
  }
  const port = await freePort();
  const away = await freePort();
  const hub = await startHub(
    folder,
    {
      name: 'floods',
      listeners: [{ mqtt: `127.0.0.1:${port}` }],
      upstream: { url: `mqtt://127.0.0.1:${away}` },
      storeAndForward: { maxSize: '2G', maxQueueSize: '2G' },
      routes: { up: 'FROM /* INTO $upstream' },
    },
    group,
  );
  const pid = hub.pid ?? 0;
  await pause(REST);
  const rest = anonymous(pid);
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, anonymous(pid) || 0);
  }, 50);
  const publishing = await execute(
    process.execPath,
    [join(here, 'publisher.ts'), port, publishers, qos, bytes, seconds].map(String),
    { maxBuffer: 1 << 24 },
  );
  const counts: Count[] = JSON.parse(publishing.stdout);
  const flooded = peak;
  await pause(AFTER);
  const after = anonymous(pid);
  peak = 0;
  const collecting = await execute(
    process.execPath,
    [join(here, 'collector.ts'), String(away), String(publishers)],
    { maxBuffer: 1 << 24, timeout: 240_000 },
  );
  const came: Came[] = JSON.parse(collecting.stdout);
  clearInterval(timer);
  const drained = peak;
  await pause(AFTER);
  const end = anonymous(pid);
  const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);
  const lost =
    qos === 0
      ? 0
      : sum(counts.map(({ acknowledged }, index) => Math.max(0, acknowledged - (came[index]?.inRow ?? 0))));
  const ended = hub.exitCode !== null || hub.signalCode !== null;
  const failures =
    group === undefined
      ? 0
      : Number(/oom_kill (\d+)/.exec(readFileSync(join(group, 'memory.oom_control'), 'utf8'))?.[1] ?? 0);
  if (!ended) {
    hub.kill('SIGTERM');
    await once(hub, 'exit');
  }
  if (group !== undefined && existsSync(group)) rmdirSync(group);
  rmSync(folder, { recursive: true });
  const figures = [rest, flooded, after, drained, end].map(figure => figure.toFixed(1).padStart(7)).join(' ');
  const total = sum(counts.map(({ sent }) => sent));
  process.stdout.write(
    `${text.padEnd(12)} ${limited ? '64 MB' : 'none '} ${figures} ${String(total).padStart(9)} ${String(sum(counts.map(({ acknowledged }) => acknowledged))).padStart(9)} ${String(sum(came.map(({ all }) => all))).padStart(9)} ${String(lost).padStart(5)} ${ended ? 'ENDED' : 'ok'} ${failures}\n`,
  );
  return lost + (ended ? 1 : 0);
}

const [seconds = '5', ...wanted] = process.argv.slice(2);
process.stdout.write(
  'case         limit    rest   flood    +10s   drain    +10s      sent   acked    arrived  lost  hub, OOM kills\n',
);
let failed = 0;
for (const text of wanted.length > 0 ? wanted : CASES) {
  for (const limited of [false, true])
    failed += await flood(text, Number(seconds), limited && existsSync(GROUPS));
}
process.stdout.write(`${failed === 0 ? 1 : 0} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
