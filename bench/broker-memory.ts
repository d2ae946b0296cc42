import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Broker } from './broker/brokers.ts';
import { BROKERS } from './broker/brokers.ts';
import { openClient } from './broker/client.ts';
import { linesOf, MACHINE } from './broker/driver.ts';
import { print, printTable } from './report.ts';

/*
 * node bench/broker-memory.ts
 *
 * Measures the memory of idle connections and of a million queued messages: anonymous memory in MB beyond
 * that of an idle broker, in comparison with mosquitto.
 */
const CONNECTIONS = [1_000, 10_000];
const WAITING = 1_000_000;

/** Milliseconds after which a broker is considered idle. */
const REST = 5_000;

function anonymous({ pid }: Broker): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Anonymous:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
}

async function measured(name: string, load: (broker: Broker) => Promise<unknown>): Promise<number> {
  const broker = await BROKERS[name]?.(1);
  if (broker === undefined) throw new Error(`There is no broker "${name}".`);
  await pause(REST);
  const before = anonymous(broker);
  await load(broker);
  await pause(REST);
  const increase = anonymous(broker) - before;
  await broker.stop();
  return increase;
}

async function connectMany({ port }: Broker, count: number): Promise<void> {
  for (let n = 0; n < count; n++)
    await openClient({ port, id: `idle-${n}`, clean: true, subscribe: undefined, heard: () => {} });
}

async function publishMany({ port }: Broker): Promise<void> {
  linesOf('offline.ts', [port, WAITING, 1_000]);
}

const rows: string[][] = [];
const figures: Record<string, number> = {};
for (const name of ['skerry', 'mosquitto']) {
  const row = [name];
  for (const count of CONNECTIONS) {
    // The connections are opened in this process, because child processes would need too many sockets.
    const increase = await measured(name, broker => connectMany(broker, count));
    figures[`${name} ${count}`] = increase;
    row.push(increase.toFixed(1));
  }
  const increase = await measured(name, publishMany);
  figures[name] = increase;
  rows.push([...row, increase.toFixed(1)]);
}
print(`${MACHINE}\n`);
print('Anonymous memory in MB over that at rest.\n');
printTable(['', '1,000 connections', '10,000 connections', 'a million waiting'], rows);
print(`1,000 connections: ${figures['skerry 1000']?.toFixed(1)} MB (wanted: at most 12)`);
print(`10,000 connections: ${figures['skerry 10000']?.toFixed(1)} MB (wanted: at most 100)`);
const share = (figures['skerry'] ?? Number.NaN) / (figures['mosquitto'] ?? Number.NaN);
print(`a million waiting: ${share.toFixed(3)} of mosquitto's (wanted: at most 0.05)`);
process.exit(0);
