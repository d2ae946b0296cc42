import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { BROKERS } from './broker/brokers.ts';
import { median, print, printTable, ratiosOf, whole } from './report.ts';

/*
 * node bench/broker.ts [case...]
 *
 * Measures how many messages a second the broker delivers, in comparison with Debian's mosquitto and aedes.
 * The brokers are measured in turn. Each broker runs on one core and the load on the other core. Prints a
 * table, then the ratios to mosquitto.
 */
const ROUNDS = 5;
const SECONDS = 2;
const LOAD_CORE = '1';

type Case = {
  readonly publishers: number;
  readonly subscribers: number;
  readonly qos: 0 | 1;
  /** Maximum number of messages of one publisher in flight. */
  readonly window: number;
  /** Ratio to mosquitto that is the goal. */
  readonly wanted: number;
};

const CASES: Record<string, Case> = {
  'QoS 0, 1 to 1': { publishers: 1, subscribers: 1, qos: 0, window: 2_000, wanted: 5 },
  'QoS 0, 1 to 10': { publishers: 1, subscribers: 10, qos: 0, window: 1_000, wanted: 10 },
  'QoS 0, 1 to 50': { publishers: 1, subscribers: 50, qos: 0, window: 500, wanted: 10 },
  'QoS 0, 10 to 1': { publishers: 10, subscribers: 1, qos: 0, window: 200, wanted: 5 },
  'QoS 0, 50 to 1': { publishers: 50, subscribers: 1, qos: 0, window: 50, wanted: 5 },
  'QoS 1, window 20': { publishers: 1, subscribers: 1, qos: 1, window: 20, wanted: 3 },
  'QoS 1, window 100': { publishers: 1, subscribers: 1, qos: 1, window: 100, wanted: 5 },
};

type Measured = { readonly speed: number; readonly busy: number };

async function measure(name: string, { publishers, subscribers, qos, window }: Case): Promise<Measured> {
  const broker = await BROKERS[name]?.(qos);
  if (broker === undefined) throw new Error(`There is no broker "${name}".`);
  try {
    const load = [process.execPath, join(import.meta.dirname, 'broker/load.ts')];
    const figures = [broker.port, publishers, subscribers, qos, window, SECONDS].map(String);
    const text = execFileSync('taskset', ['-c', LOAD_CORE, ...load, ...figures], {
      timeout: 60_000,
    }).toString();
    const [speed = 0, busy = 0] = text.split('\n').map(line => Number(line.split(' ')[1]));
    return { speed, busy };
  } finally {
    await broker.stop();
  }
}

const names = process.argv.slice(2);
const unknown = names.find(name => CASES[name] === undefined);
if (unknown !== undefined)
  throw new Error(`There is no case "${unknown}": name some of ${Object.keys(CASES).join('; ')}.`);
print(
  `node ${process.versions.node}, ${process.arch}, ${availableParallelism()} cores (${cpus()[0]?.model})\n`,
);
const rows: string[][] = [];
const ratios: string[] = [];
for (const [name, one] of Object.entries(CASES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const rounds: Record<string, Measured[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const broker of Object.keys(BROKERS)) {
      rounds[broker] = [...(rounds[broker] ?? []), await measure(broker, one)];
    }
  }
  const speeds = (broker: string): number[] => (rounds[broker] ?? []).map(({ speed }) => speed);
  const busy = Object.values(rounds).map(list => median(list.map(one => one.busy)));
  rows.push([
    name,
    ...Object.keys(BROKERS).map(broker => whole(median(speeds(broker)))),
    ...busy.map(share => `${Math.round(share * 100)} %`),
  ]);
  const ratio = median(ratiosOf(speeds('skerry'), speeds('mosquitto')));
  ratios.push(`${name}: ${ratio.toFixed(2)} of mosquitto's (wanted: at least ${one.wanted})`);
}
print(
  `Messages a second that came to subscribers, ${ROUNDS} rounds of ${SECONDS} s, 256 bytes each; how busy the load was.\n`,
);
const brokers = Object.keys(BROKERS);
printTable(['', ...brokers, ...brokers.map(name => `load, ${name}`)], rows);
for (const ratio of ratios) print(ratio);
