import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../test/harness/binary.ts';
import { startBroker } from '../test/harness/brokers/brokers.ts';
import { startProxy } from '../test/harness/network/proxy.ts';
import { seededRandom } from '../test/harness/seeded-random.ts';
import { MACHINE } from './broker/driver.ts';
import { median, megabytes, print, printTable, ratiosOf, whole } from './report.ts';
import type { Subject } from './upstream/contenders.ts';
import {
  anonymousOf,
  bridgeFor,
  loopFor,
  onCore,
  processorTimeOf,
  skerryFor,
  TUNED,
  UPSTREAM_CORE,
  upstreamMosquitto,
} from './upstream/contenders.ts';

/*
 * node bench/upstream.ts [mosquitto|sink|far|nats|idle] [rounds]
 *
 * Measures how fast a backlog of 500,000 messages (256 bytes, QoS 1, window 64) is drained into mosquitto on
 * this machine and over a slow network, into a server that only acknowledges, and into a cluster of three
 * NATS servers. Compares with a mosquitto bridge that has the same backlog, once with its default settings
 * and once with the same window. Also compares with a loop around mqtt.js. Also measures the memory of the
 * hub, and the bytes per hour that an idle hub sends and receives.
 */
const MESSAGES = 500_000;

/** Number of messages over the slow network. Its delay determines the speed, so fewer messages suffice. */
const FAR_MESSAGES = 20_000;

/** Milliseconds of delay of the slow network in each direction. */
const DELAY = 20;

/**
 * Number of messages for NATS, which replicates each message in its cluster. The 500,000 messages of the
 * other cases would take a quarter of an hour.
 */
const NATS_MESSAGES = 50_000;

/** Milliseconds without a message after which the measurement ends. */
const QUIET = 10_000;

/** Milliseconds after which a hub is considered idle. */
const REST = 5_000;

/** Milliseconds between two samples of the memory. */
const LOOK = 250;

/** Milliseconds for which the traffic of an idle hub is measured. */
const IDLE = 150_000;

const SUBJECTS: Readonly<Record<string, (port: number) => Promise<Subject>>> = {
  skerry: skerryFor,
  'mosquitto bridge': port => bridgeFor(port, TUNED),
  'mosquitto bridge, as it comes': port => bridgeFor(port, []),
  'mqtt.js loop': loopFor,
};

/**
 * Server that receives the messages. `witness` is the program that counts the messages. `witnessPort` is the
 * port of this program if it differs from `port`.
 */
type Upstream = {
  readonly name: string;
  readonly port: number;
  readonly witness: string;
  readonly witnessPort?: number;
};

type Drained = {
  readonly came: number;
  readonly rate: number;
  readonly memory: number;
  /** Microseconds of the process's processor time per message, including the start of the process. */
  readonly cost: number;
};

async function drainOf(
  make: (port: number) => Promise<Subject>,
  upstream: Upstream,
  messages: number,
): Promise<Drained> {
  const subject = await make(upstream.port);
  try {
    await subject.fill(messages);
    const witness = await startWitness(upstream, messages);
    await subject.drain();
    let memory = 0;
    let cpu = 0;
    const timer = setInterval(() => {
      memory = Math.max(memory, anonymousOf(subject.pid()));
      cpu = Math.max(cpu, processorTimeOf(subject.pid()));
    }, LOOK);
    const { came, rate } = await witness.done;
    clearInterval(timer);
    return { came, rate, memory, cost: (cpu * 1_000_000) / came };
  } finally {
    await subject.close();
  }
}

/** Starts the program that counts messages. Resolves when it is ready to count. */
function startWitness(
  { port, witness, witnessPort = port }: Upstream,
  messages: number,
): Promise<{ readonly done: Promise<{ came: number; rate: number }> }> {
  const program = join(import.meta.dirname, 'upstream', witness);
  const child = spawn(
    'taskset',
    ['-c', UPSTREAM_CORE, process.execPath, program, witnessPort, messages, QUIET].map(String),
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  const done = new Promise<{ came: number; rate: number }>(resolve =>
    child.once('close', () => {
      const figure = (name: string): number => Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
      resolve({ came: figure('came'), rate: figure('rate') });
    }),
  );
  return new Promise(resolve => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.startsWith('ready')) resolve({ done });
    });
  });
}

async function idleMemory(port: number): Promise<number> {
  const hub = await skerryFor(port);
  await hub.drain();
  await pause(REST);
  const memory = anonymousOf(hub.pid());
  await hub.close();
  return memory;
}

const ratios: string[] = [];

async function compare(upstream: Upstream, messages: number, rounds: number): Promise<void> {
  const idle = await idleMemory(upstream.port);
  const drained: Record<string, Drained[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, make] of Object.entries(SUBJECTS)) {
      drained[name] = [...(drained[name] ?? []), await drainOf(make, upstream, messages)];
    }
  }
  print(`${whole(messages)} messages into ${upstream.name}, medians of ${rounds} rounds:\n`);
  const rows = Object.entries(drained).map(([name, all]) => [
    name,
    whole(median(all.map(({ came }) => came))),
    whole(median(all.map(({ rate }) => rate))),
    median(all.map(({ cost }) => cost)).toFixed(1),
    megabytes(Math.max(...all.map(({ memory }) => memory))),
  ]);
  printTable(['', 'came', 'messages/s', 'CPU µs/message', 'anonymous MB at most'], rows);
  const rates = (name: string): number[] => (drained[name] ?? []).map(({ rate }) => rate);
  for (const other of Object.keys(SUBJECTS)) {
    if (other === 'skerry') continue;
    const ratio = median(ratiosOf(rates('skerry'), rates(other)));
    const wanted = other.includes('bridge') ? ' (wanted: at least 3)' : '';
    ratios.push(`into ${upstream.name}: ${ratio.toFixed(2)} of the rate of the ${other}${wanted}`);
  }
  const over = Math.max(...(drained['skerry'] ?? []).map(({ memory }) => memory)) - idle;
  ratios.push(
    `into ${upstream.name}: ${megabytes(over)} MB over idle, ${megabytes(idle)} (wanted: at most 24.0)`,
  );
}

async function quiet(port: number): Promise<void> {
  const network = await startProxy([port], seededRandom(1));
  const hub = await skerryFor(network.port);
  await hub.drain();
  await pause(REST);
  const before = network.traffic();
  await pause(IDLE);
  const after = network.traffic();
  const hour = 3_600_000 / IDLE;
  const up = (after.up - before.up) * hour;
  const down = (after.down - before.down) * hour;
  print(
    `A quiet hub with a keep-alive of 30 s, measured over ${IDLE / 1000} s: ${whole(up)} bytes an hour up, `,
  );
  print(
    `${whole(down)} down, without the heads of TCP and IP; ${after.connections - before.connections} connections.\n`,
  );
  ratios.push(`quiet: ${whole(up + down)} bytes an hour (wanted: keep-alives alone, at most 600)`);
  await hub.close();
  await network.close();
}

const [wanted, rounds = '3'] = process.argv.slice(2);
const asked = (name: string): boolean => wanted === undefined || wanted === name;
print(`${MACHINE}\n`);
const COUNTER = 'counter.ts';
if (asked('mosquitto') || asked('idle')) {
  const { port, close } = await upstreamMosquitto();
  const upstream = { name: 'mosquitto', port, witness: COUNTER };
  if (asked('mosquitto')) await compare(upstream, MESSAGES, Number(rounds));
  if (asked('idle')) await quiet(port);
  await close();
}
if (asked('sink')) {
  const upstream = {
    name: 'a server that only acknowledges',
    port: await freePort(),
    witness: 'counting-server.ts',
  };
  await compare(upstream, MESSAGES, Number(rounds));
}
if (asked('far')) {
  const near = await upstreamMosquitto();
  const port = await freePort();
  const delay = join(import.meta.dirname, 'upstream/delay.ts');
  const command = [process.execPath, delay, String(port), String(near.port), String(DELAY)];
  const network = onCore(UPSTREAM_CORE, 'network', command, 0);
  await network.start();
  const name = `mosquitto, ${2 * DELAY} ms away`;
  await compare({ name, port, witness: COUNTER, witnessPort: near.port }, FAR_MESSAGES, Number(rounds));
  await network.end('SIGKILL');
  await near.close();
}
if (asked('nats')) {
  const nats = await startBroker('nats');
  const upstream = { name: 'NATS', port: nats?.ports[0] ?? 0, witness: COUNTER };
  if (nats === undefined) print('skipped: NATS is not installed\n');
  else await compare(upstream, NATS_MESSAGES, Number(rounds));
  await nats?.close();
}
for (const ratio of ratios) print(ratio);
process.exit(0);
