import { randomInt } from 'node:crypto';
import { folderWith, freePort, removeFolder, startHub } from '../../harness/binary.ts';
import type { Publisher, Subscriber } from './clients.ts';
import { startPublisher, subscribeByRelease, subscribeExactly } from './clients.ts';

/** Maximum milliseconds from the start of the hub to its kill. */
const MAX_LIFE_MS = 500;

/** Milliseconds without a new message before the result is checked. */
const QUIET = 5_000;

export type ExactlyOnceSettings = {
  readonly kills: number;
  /** True if publishers have clean sessions. Subscribers always have persistent sessions. */
  readonly clean: boolean;
};

export type ExactlyOnceReport = {
  /** Messages that the hub has accepted. */
  readonly published: number;
  readonly kills: number;
  /** Sum over all subscribers. */
  readonly lost: number;
  readonly twice: number;
  readonly outOfOrder: number;
  /** Refusals of messages, and sessions that the hub lost. */
  readonly faults: readonly string[];
};

/** Kills a hub under load repeatedly, and compares published messages with those of each subscriber. */
export async function exactlyOnce({ kills, clean }: ExactlyOnceSettings): Promise<ExactlyOnceReport> {
  const port = await freePort();
  const folder = folderWith({
    'hub.json': JSON.stringify({ name: 'hub', listeners: [{ mqtt: `127.0.0.1:${port}` }] }),
  });
  const faults: string[] = [];
  const start = () => startHub(folder, 'hub.json', 'data');
  let hub = await start();
  const as = (clientId: string, protocolVersion: 4 | 5, own: boolean) => ({
    port,
    clientId,
    protocolVersion,
    clean: own,
  });
  const subscribers = [
    await subscribeExactly(as('exact', 5, false), 'count/#'),
    await subscribeExactly(as('exact-4', 4, false), 'count/#'),
    await subscribeByRelease(as('released', 5, false), 'count/#'),
  ];
  const publishers = [
    startPublisher(as('one', 5, clean), faults),
    startPublisher(as('two', 5, clean), faults),
    startPublisher(as('three', 4, clean), faults),
  ];
  const clients = [...subscribers, ...publishers];
  const pause = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds));
  try {
    for (let kill = 0; kill < kills; kill++) {
      await pause(randomInt(MAX_LIFE_MS));
      // Clients that reconnect to the same hub use its state in memory, which the next hub reads from
      // disk.
      if (randomInt(2) === 0) {
        for (const { cut } of clients) cut();
        await pause(randomInt(MAX_LIFE_MS / 2));
      }
      await hub.end('SIGKILL');
      hub = await start();
    }
    for (const { stop } of publishers) await stop();
    await quiet(subscribers);
    for (const { forgotten } of clients)
      if (forgotten() > 0) faults.push(`a session was lost ${forgotten()} times`);
    return { ...compare(publishers, subscribers), kills, faults };
  } finally {
    for (const { close } of clients) close();
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
}

/** Resolves when no subscriber has received a message for QUIET milliseconds. */
async function quiet(subscribers: readonly Subscriber[]): Promise<void> {
  const count = (): number => subscribers.reduce((all, { seen }) => all + seen.length, 0);
  for (let before = -1; before !== count(); ) {
    before = count();
    await new Promise(done => setTimeout(done, QUIET));
  }
}

function compare(publishers: readonly Publisher[], subscribers: readonly Subscriber[]) {
  const report = { published: 0, lost: 0, twice: 0, outOfOrder: 0 };
  for (const { name, accepted } of publishers) {
    report.published += accepted.size;
    for (const { seen } of subscribers) {
      const numbers = seen.flatMap(body => {
        const [from, number] = body.split(' ');
        return from === name ? [Number(number)] : [];
      });
      const different = new Set(numbers);
      report.lost += Array.from(accepted).filter(number => !different.has(number)).length;
      report.twice += numbers.length - different.size;
      report.outOfOrder += numbers.filter((number, index) => number < (numbers[index - 1] ?? 0)).length;
    }
  }
  return report;
}
