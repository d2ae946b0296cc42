import { BROKERS } from './broker/brokers.ts';
import { linesOf, MACHINE } from './broker/driver.ts';
import { median, print, printTable, ratiosOf } from './report.ts';

/*
 * node bench/broker-latency.ts
 *
 * Measures the time of a message from its publisher to its subscriber at 1,000 messages a second, in
 * comparison with mosquitto.
 */
const ROUNDS = 5;
const RATE = 1_000;
const SECONDS = 5;
const SHARES = ['p50', 'p99', 'p99.9'];

const rows: string[][] = [];
const ratios: string[] = [];
for (const qos of [0, 1]) {
  const rounds: Record<string, number[][]> = { skerry: [], mosquitto: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, list] of Object.entries(rounds)) {
      const broker = await BROKERS[name]?.(1);
      if (broker === undefined) throw new Error(`There is no broker "${name}".`);
      const [line = ''] = linesOf('ping.ts', [broker.port, qos, RATE, SECONDS]);
      list.push(line.split(' ').slice(1).map(Number));
      await broker.stop();
    }
  }
  const share = (name: string, index: number): number[] =>
    (rounds[name] ?? []).map(list => list[index] ?? Number.NaN);
  for (const name of Object.keys(rounds)) {
    rows.push([`QoS ${qos}, ${name}`, ...SHARES.map((_, index) => median(share(name, index)).toFixed(3))]);
  }
  const ratio = median(ratiosOf(share('skerry', 1), share('mosquitto', 1)));
  ratios.push(`QoS ${qos}: p99 ${ratio.toFixed(2)} of mosquitto's (wanted: at most 1.2)`);
}
print(`${MACHINE}\n`);
print(`Milliseconds, medians of ${ROUNDS} rounds of ${SECONDS} s at ${RATE} messages/s of 256 bytes.\n`);
printTable(['', ...SHARES], rows);
for (const ratio of ratios) print(ratio);
