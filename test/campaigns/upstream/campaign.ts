import type { Broker, Kind } from '../../harness/brokers/brokers.ts';
import { startBroker } from '../../harness/brokers/brokers.ts';
import { createSkerry } from '../../harness/brokers/skerry.ts';
import type { Network } from '../../harness/network/proxy.ts';
import { startProxy } from '../../harness/network/proxy.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import type { Misfortunes } from './chaos.ts';
import { chaos } from './chaos.ts';
import type { Published, Verdict } from './judge.ts';
import { judge } from './judge.ts';
import type { Publisher } from './publisher.ts';
import { startPublisher } from './publisher.ts';
import type { Reader } from './readers.ts';
import { leaveSession, startExactReader, startForgivingReader, startReader } from './readers.ts';

const PUBLISHERS = 4;

/** Keep-alive of the hubs, short enough to detect black holes. */
const KEEP_ALIVE = '2s';

/**
 * Milliseconds without anything new until what has not come is lost: longer than the hub's longest wait
 * between two tries.
 */
const QUIET = 70_000;

/** Milliseconds behind the last that was missing, in which one that comes twice may follow. */
const AFTER = 2_000;

export type CampaignSettings = {
  readonly kind: Kind;
  readonly messages: number;
  /** Duration of the faults in seconds. The messages are spread over it. */
  readonly seconds: number;
  readonly seed: number;
  readonly hubKills: number;
  /** Worst fault of the broker. */
  readonly worst: 'kept' | 'stopped' | 'killed';
  readonly exactlyOnce: boolean;
  /** Names of the hubs between publishers and broker, from below. None: what does the broker do by itself? */
  readonly chain: readonly string[];
  /** Messages of one publisher on their way at once. */
  readonly window: number;
  /** More fields of the hubs' `upstream`. */
  readonly upstream: Readonly<Record<string, unknown>>;
};

export type CampaignReport = {
  /** Exactly once was asked for, and the broker offers it. */
  readonly once: boolean;
  readonly acknowledged: number;
  readonly misfortunes: Misfortunes;
  /** Verdict about each reader. */
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** Sentences: refusals, sessions that were forgotten. */
  readonly faults: readonly string[];
};

const READERS = { no: startReader, running: startForgivingReader, always: startExactReader };

type Stage = { readonly hubs: readonly Broker[]; readonly networks: readonly Network[] };

/** Publishes during all faults and checks what arrived. Undefined if the broker is not installed. */
export async function campaign(settings: CampaignSettings): Promise<CampaignReport | undefined> {
  const broker = await startBroker(settings.kind);
  if (broker === undefined) return undefined;
  const closing: (() => Promise<void>)[] = [broker.close];
  try {
    return await conduct(settings, broker, closing);
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function conduct(settings: CampaignSettings, broker: Broker, closing: (() => Promise<void>)[]) {
  const { messages, seconds, seed, exactlyOnce, chain } = settings;
  const filter = [...chain.toReversed(), 'load/#'].join('/');
  const diceFor = (stream: number) => seededRandom(seed * 64 + stream);
  const reader = await READERS[exactlyOnce ? broker.exact : 'no'](broker, 'reader', filter);
  closing.push(reader.close);
  // mosquitto writes all that it keeps after every change: a queue that grows would be all that it does.
  const keeps = settings.kind !== 'mosquitto' && !(exactlyOnce && broker.exact !== 'no');
  if (keeps) await leaveSession(broker, 'kept', filter);
  const { hubs, networks } = await build(settings, broker, closing);

  const publishers = Array.from({ length: PUBLISHERS }, (_, index) =>
    startPublisher({
      port: hubs[0]?.ports[0] ?? networks[0]?.port ?? 0,
      name: `p${index + 1}`,
      qos: exactlyOnce ? 2 : 1,
      protocolVersion: hubs.length === 0 ? 4 : 5,
      count: Math.ceil(messages / PUBLISHERS),
      perSecond: messages / PUBLISHERS / seconds,
      window: settings.window,
    }),
  );
  for (const { close } of publishers) closing.push(async () => close());
  const misfortunes = await chaos({ ...settings, broker, hubs, networks, diceFor });
  await Promise.all(publishers.map(({ finish }) => finish()));
  const published: Published = new Map(publishers.map(one => [one.name, one.acknowledged()]));

  await arrival(published, reader);
  const verdicts: Record<string, Verdict> = { 'a subscriber': judge(published, reader.seen) };
  const faults = faultsOf(publishers, reader);
  if (keeps) await readBack(broker, filter, published, verdicts, faults);
  let acknowledged = 0;
  for (const count of published.values()) acknowledged += count;
  const once = exactlyOnce && broker.exact !== 'no';
  return { once, acknowledged, misfortunes, verdicts, faults };
}

/** The hubs from the top down, each with a network between it and what is above. */
async function build(
  { chain, seed, upstream, exactlyOnce }: CampaignSettings,
  broker: Broker,
  closing: (() => Promise<void>)[],
): Promise<Stage> {
  const hubs: Broker[] = [];
  const networks: Network[] = [];
  const before = async ({ ports }: Broker): Promise<string[]> => {
    const urls: string[] = [];
    for (const port of ports) {
      const network = await startProxy([port], seededRandom(seed * 64 + 16 + networks.length));
      closing.push(network.close);
      networks.push(network);
      urls.push(`mqtt://127.0.0.1:${network.port}`);
    }
    return urls;
  };
  // Publishers know one address: before a cluster it is that of a balancer.
  if (chain.length === 0) {
    const network = await startProxy(broker.ports, seededRandom(seed * 64 + 16));
    closing.push(network.close);
    return { hubs, networks: [network] };
  }
  let urls = await before(broker);
  for (const [level, name] of [...chain.entries()].reverse()) {
    const hub = await createSkerry(name, {
      routes: { all: `FROM topic("${chain[level - 1] ?? 'load'}/#") INTO $upstream` },
      upstream: { urls, keepAlive: KEEP_ALIVE, ...(exactlyOnce ? { exactlyOnce } : {}), ...upstream },
    });
    closing.push(hub.close);
    await hub.start();
    hubs.unshift(hub);
    if (level > 0) urls = await before(hub);
  }
  return { hubs, networks };
}

/** Resolves when all has come and nothing follows it, or nothing has come for QUIET milliseconds. */
async function arrival(published: Published, { seen }: Reader): Promise<void> {
  let counted = -1;
  let last = performance.now();
  let complete = false;
  while (performance.now() - last < (complete ? AFTER : QUIET)) {
    if (seen.length !== counted) {
      counted = seen.length;
      last = performance.now();
      complete = judge(published, seen).lost === 0;
    }
    await new Promise(done => setTimeout(done, 200));
  }
}

/** The broker's own account of the queue of a session that was away, and the queue itself. */
async function readBack(
  broker: Broker,
  filter: string,
  published: Published,
  verdicts: Record<string, Verdict>,
  faults: string[],
): Promise<void> {
  const account = await broker.account?.('kept');
  if (account?.bodies !== undefined) verdicts['the stream on disk'] = judge(published, account.bodies);
  const kept = await startReader(broker, 'kept', filter);
  try {
    await arrival(published, kept);
    const verdict = judge(published, kept.seen);
    verdicts['a session that was away'] = verdict;
    const different = kept.seen.length - verdict.repeated;
    if (account !== undefined && account.waiting < different)
      faults.push(`the queue held ${account.waiting} by the broker's account, and gave ${different}`);
  } finally {
    await kept.close();
  }
}

function faultsOf(publishers: readonly Publisher[], reader: Reader): string[] {
  const faults = publishers.flatMap(one => one.faults);
  if (reader.forgotten() > 0)
    faults.push(`the broker forgot the reader's session ${reader.forgotten()} times`);
  return faults;
}
