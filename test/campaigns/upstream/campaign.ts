import type { Broker, Kind } from '../../harness/brokers/brokers.ts';
import { startBroker } from '../../harness/brokers/brokers.ts';
import { createSkerry } from '../../harness/brokers/skerry.ts';
import type { Network } from '../../harness/network/proxy.ts';
import { startProxy } from '../../harness/network/proxy.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import type { FaultCounts } from './chaos.ts';
import { chaos } from './chaos.ts';
import type { Comparison, Published } from './comparison.ts';
import { compare } from './comparison.ts';
import type { Publisher } from './publisher.ts';
import { startPublisher } from './publisher.ts';
import type { Reader } from './readers.ts';
import { leaveSession, startExactReader, startForgivingReader, startReader } from './readers.ts';

const PUBLISHERS = 4;

/** Keep-alive of the hubs, short enough to detect dead connections. */
const KEEP_ALIVE = '2s';

/**
 * Milliseconds without a new message after which missing messages count as lost. Longer than the maximum
 * reconnect delay of a hub.
 */
const QUIET = 70_000;

/** Milliseconds to wait for repeated messages after all messages have arrived. */
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
  /** Names of the hubs between publishers and broker, from the publishers on. Empty for a broker alone. */
  readonly chain: readonly string[];
  /** Maximum unacknowledged messages of one publisher. */
  readonly window: number;
  /** Additional fields of `upstream` of the hubs. */
  readonly upstream: Readonly<Record<string, unknown>>;
};

export type CampaignReport = {
  /** True if exactlyOnce is set and the broker supports QoS 2. */
  readonly once: boolean;
  readonly acknowledged: number;
  readonly faultCounts: FaultCounts;
  /** Result of each reader. */
  readonly comparisons: Readonly<Record<string, Comparison>>;
  /** Refusals and lost sessions, one sentence each. */
  readonly faults: readonly string[];
};

const READERS = { no: startReader, running: startForgivingReader, always: startExactReader };

type Topology = { readonly hubs: readonly Broker[]; readonly networks: readonly Network[] };

/** Publishes during all faults and checks the received messages. Undefined if the broker is not installed. */
export async function campaign(settings: CampaignSettings): Promise<CampaignReport | undefined> {
  const broker = await startBroker(settings.kind);
  if (broker === undefined) return undefined;
  const closing: (() => Promise<void>)[] = [broker.close];
  try {
    return await runCampaign(settings, broker, closing);
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function runCampaign(settings: CampaignSettings, broker: Broker, closing: (() => Promise<void>)[]) {
  const { messages, seconds, seed, exactlyOnce, chain } = settings;
  const filter = [...chain.toReversed(), 'load/#'].join('/');
  const randomFor = (stream: number) => seededRandom(seed * 64 + stream);
  const reader = await READERS[exactlyOnce ? broker.exact : 'no'](broker, 'reader', filter);
  closing.push(reader.close);
  // mosquitto saves its whole state after every change, so a growing queue would block it.
  const keeps = settings.kind !== 'mosquitto' && !(exactlyOnce && broker.exact !== 'no');
  if (keeps) await leaveSession(broker, 'kept', filter);
  const { hubs, networks } = await buildTopology(settings, broker, closing);

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
  const faultCounts = await chaos({ ...settings, broker, hubs, networks, randomFor });
  await Promise.all(publishers.map(({ finish }) => finish()));
  const published: Published = new Map(publishers.map(one => [one.name, one.acknowledged()]));

  await untilArrived(published, reader);
  const comparisons: Record<string, Comparison> = { 'a subscriber': compare(published, reader.seen) };
  const faults = faultsOf(publishers, reader);
  if (keeps) await checkOfflineSession(broker, filter, published, comparisons, faults);
  let acknowledged = 0;
  for (const count of published.values()) acknowledged += count;
  const once = exactlyOnce && broker.exact !== 'no';
  return { once, acknowledged, faultCounts, comparisons, faults };
}

/** Starts the hubs from the broker down, each with a network to its upstream. */
async function buildTopology(
  { chain, seed, upstream, exactlyOnce }: CampaignSettings,
  broker: Broker,
  closing: (() => Promise<void>)[],
): Promise<Topology> {
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
  // Publishers have one address. For a cluster it is that of a load balancer.
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

/** Resolves when all messages have arrived without repetition for a while, or none has for QUIET. */
async function untilArrived(published: Published, { seen }: Reader): Promise<void> {
  let counted = -1;
  let last = performance.now();
  let complete = false;
  while (performance.now() - last < (complete ? AFTER : QUIET)) {
    if (seen.length !== counted) {
      counted = seen.length;
      last = performance.now();
      complete = compare(published, seen).lost === 0;
    }
    await new Promise(done => setTimeout(done, 200));
  }
}

/** Checks the queue of an offline session, and the broker's own count of it. */
async function checkOfflineSession(
  broker: Broker,
  filter: string,
  published: Published,
  comparisons: Record<string, Comparison>,
  faults: string[],
): Promise<void> {
  const account = await broker.account?.('kept');
  if (account?.bodies !== undefined) comparisons['the stream on disk'] = compare(published, account.bodies);
  const kept = await startReader(broker, 'kept', filter);
  try {
    await untilArrived(published, kept);
    const comparison = compare(published, kept.seen);
    comparisons['an offline session'] = comparison;
    const different = kept.seen.length - comparison.repeated;
    if (account !== undefined && account.waiting < different)
      faults.push(`the broker counted ${account.waiting} waiting messages and delivered ${different}`);
  } finally {
    await kept.close();
  }
}

function faultsOf(publishers: readonly Publisher[], reader: Reader): string[] {
  const faults = publishers.flatMap(one => one.faults);
  if (reader.forgotten() > 0)
    faults.push(`the broker lost the session of the reader ${reader.forgotten()} times`);
  return faults;
}
