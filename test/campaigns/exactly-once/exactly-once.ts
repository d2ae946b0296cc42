import { randomInt } from 'node:crypto';
import { folderWith, freePort, removeFolder, startHub } from '../../harness/binary.ts';
import type { Publisher, Subscriber } from './clients.ts';
import { startPublisher, subscribeByRelease, subscribeExactly } from './clients.ts';

/**
 * Milliseconds that the hub lives at most before it is killed, and that nothing new comes before the end is
 * judged.
 */
const LONGEST_LIFE = 500;
const QUIET = 5_000;

export type ExactlyOnceSettings = {
  readonly kills: number;
  /** The sessions of the publishers end with their connections; those of the subscribers never do. */
  readonly clean: boolean;
};

export type ExactlyOnceReport = {
  /** Messages that the hub has taken over. */
  readonly published: number;
  readonly kills: number;
  /** Sum over all subscribers. */
  readonly lost: number;
  readonly twice: number;
  readonly outOfOrder: number;
  /** Refusals that a publisher was told of, and sessions that the hub forgot. */
  readonly faults: readonly string[];
};

/** Kills a hub under load again and again, and compares what was published with what each subscriber got. */
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
  const parties = [...subscribers, ...publishers];
  const pause = (milliseconds: number): Promise<void> => new Promise(done => setTimeout(done, milliseconds));
  try {
    for (let kill = 0; kill < kills; kill++) {
      await pause(randomInt(LONGEST_LIFE));
      // Clients that come back to the same hub find its state in memory, and then the next hub finds it on
      // disk.
      if (randomInt(2) === 0) {
        for (const { cut } of parties) cut();
        await pause(randomInt(LONGEST_LIFE / 2));
      }
      await hub.end('SIGKILL');
      hub = await start();
    }
    for (const { stop } of publishers) await stop();
    await quiet(subscribers);
    for (const { forgotten } of parties)
      if (forgotten() > 0) faults.push(`a session was forgotten ${forgotten()} times`);
    return { ...judge(publishers, subscribers), kills, faults };
  } finally {
    for (const { close } of parties) close();
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
}

/** Resolves when nothing has come to any subscriber for QUIET milliseconds. */
async function quiet(subscribers: readonly Subscriber[]): Promise<void> {
  const count = (): number => subscribers.reduce((all, { seen }) => all + seen.length, 0);
  for (let before = -1; before !== count(); ) {
    before = count();
    await new Promise(done => setTimeout(done, QUIET));
  }
}

function judge(publishers: readonly Publisher[], subscribers: readonly Subscriber[]) {
  const report = { published: 0, lost: 0, twice: 0, outOfOrder: 0 };
  for (const { name, owed } of publishers) {
    report.published += owed.size;
    for (const { seen } of subscribers) {
      const numbers = seen.flatMap(body => {
        const [from, number] = body.split(' ');
        return from === name ? [Number(number)] : [];
      });
      const different = new Set(numbers);
      report.lost += Array.from(owed).filter(number => !different.has(number)).length;
      report.twice += numbers.length - different.size;
      report.outOfOrder += numbers.filter((number, index) => number < (numbers[index - 1] ?? 0)).length;
    }
  }
  return report;
}
