import { BROKERS } from './broker/brokers.ts';
import { loadWith, MACHINE } from './broker/driver.ts';
import { median, print, printTable, ratiosOf, whole } from './report.ts';

/*
 * node bench/broker-offline.ts
 *
 * Measures how many messages a second can be published for an offline persistent session, and how many
 * messages a second the session receives after it reconnects. The messages have QoS 1 and 256 bytes. Compares
 * with mosquitto, which stores the messages in memory. Skerry acknowledges a message only after the message
 * is on disk.
 */
const ROUNDS = 5;
const MESSAGES = 200_000;
const WINDOWS = [100, 1_000];

const rows: string[][] = [];
const ratios: string[] = [];
for (const window of WINDOWS) {
  const rounds: Record<string, { publish: number[]; drain: number[] }> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of ['skerry', 'mosquitto']) {
      const speeds = rounds[name] ?? { publish: [], drain: [] };
      rounds[name] = speeds;
      const broker = await BROKERS[name]?.(1);
      if (broker === undefined) throw new Error(`There is no broker "${name}".`);
      const [publish = 0, drain = 0] = loadWith('offline.ts', [broker.port, MESSAGES, window, 'drain']);
      speeds.publish.push(publish);
      speeds.drain.push(drain);
      await broker.stop();
    }
  }
  for (const kind of ['publish', 'drain'] as const) {
    const [ours, theirs] = [rounds['skerry']?.[kind] ?? [], rounds['mosquitto']?.[kind] ?? []];
    const label = `${kind}, window ${window}`;
    rows.push([label, whole(median(ours)), whole(median(theirs))]);
    const wanted = kind === 'publish' ? 1 : 0.6;
    ratios.push(
      `${label}: ${median(ratiosOf(ours, theirs)).toFixed(2)} of mosquitto's (wanted: at least ${wanted})`,
    );
  }
}
print(`${MACHINE}\n`);
print(`Messages a second, ${ROUNDS} rounds of ${whole(MESSAGES)}; the window is the publisher's.\n`);
printTable(['', 'skerry', 'mosquitto'], rows);
for (const ratio of ratios) print(ratio);
