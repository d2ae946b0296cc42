import { diceOf } from '../fuzz/random.ts';
import { createSkerry } from './brokers/skerry.ts';
import type { Broker, Kind } from './brokers.ts';
import { startBroker } from './brokers.ts';
import type { Misfortunes } from './campaign/chaos.ts';
import { chaos } from './campaign/chaos.ts';
import type { Published, Verdict } from './campaign/judge.ts';
import { judge } from './campaign/judge.ts';
import type { Publisher } from './campaign/publisher.ts';
import { startPublisher } from './campaign/publisher.ts';
import type { Reader } from './campaign/readers.ts';
import { leaveSession, startExactReader, startReader } from './campaign/readers.ts';
import type { Network } from './proxy.ts';
import { startProxy } from './proxy.ts';

const PUBLISHERS = 4;

/** Of the hubs: black holes are found in time. */
const KEEP_ALIVE = '2s';

/** Milliseconds without anything new until what has not come is lost: longer than the hub's longest wait between two tries. */
const QUIET = 70_000;

export type CampaignSettings = {
  readonly kind: Kind;
  readonly messages: number;
  /** How long things go wrong: the messages are spread over it. */
  readonly seconds: number;
  readonly seed: number;
  readonly hubKills: number;
  readonly killBroker: boolean;
  readonly exactlyOnce: boolean;
  /** Names of the hubs between publishers and broker, from below. */
  readonly chain: readonly [string, ...string[]];
  /** More fields of the hubs' `upstream`. */
  readonly upstream: Readonly<Record<string, unknown>>;
};

export type CampaignReport = {
  readonly acknowledged: number;
  readonly misfortunes: Misfortunes;
  /** What each reader got, by what it read. */
  readonly verdicts: Readonly<Record<string, Verdict>>;
  /** Sentences: refusals, sessions that were forgotten. */
  readonly faults: readonly string[];
};

type Stage = { readonly hubs: readonly Broker[]; readonly networks: readonly Network[] };

/** Publishes while all is broken that can be, and judges what came. Undefined: the broker is not installed. */
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
  const filter = `${[...chain].reverse().join('/')}/load/#`;
  const diceFor = (stream: number) => diceOf(seed * 64 + stream);
  const reader = await (exactlyOnce && broker.exact ? startExactReader : startReader)(
    broker,
    'reader',
    filter,
  );
  closing.push(reader.close);
  // mosquitto writes all that it keeps after every change: a queue that grows would be all that it does.
  const keeps = settings.kind !== 'mosquitto' && !(exactlyOnce && broker.exact);
  if (keeps) await leaveSession(broker, 'kept', filter);
  const { hubs, networks } = await build(settings, broker, closing);

  const publishers = Array.from({ length: PUBLISHERS }, (_, index) =>
    startPublisher({
      port: hubs[0]?.ports[0] ?? 0,
      name: `p${index + 1}`,
      qos: exactlyOnce ? 2 : 1,
      count: Math.ceil(messages / PUBLISHERS),
      perSecond: messages / PUBLISHERS / seconds,
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
  return { acknowledged, misfortunes, verdicts, faults };
}

/** The hubs from the top down, each with a network between it and what is above. */
async function build(
  { chain, seed, upstream, exactlyOnce }: CampaignSettings,
  broker: Broker,
  closing: (() => Promise<void>)[],
): Promise<Stage> {
  const hubs: Broker[] = [];
  const networks: Network[] = [];
  let above = broker;
  for (const [level, name] of [...chain.entries()].reverse()) {
    const before: Network[] = [];
    for (const [node, port] of above.ports.entries()) {
      const network = await startProxy([port], diceOf(seed * 64 + 16 + level * 8 + node));
      closing.push(network.close);
      before.push(network);
    }
    const below = chain[level - 1];
    const hub = await createSkerry(name, {
      routes: { all: `FROM topic("${below ?? 'load'}/#") INTO $upstream` },
      upstream: {
        urls: before.map(({ port }) => `mqtt://127.0.0.1:${port}`),
        keepAlive: KEEP_ALIVE,
        ...(exactlyOnce ? { exactlyOnce } : {}),
        ...upstream,
      },
    });
    closing.push(hub.close);
    await hub.start();
    hubs.unshift(hub);
    networks.unshift(...before);
    above = hub;
  }
  return { hubs, networks };
}

/** Resolves when all has come, or nothing has for QUIET milliseconds. */
async function arrival(published: Published, { seen }: Reader): Promise<void> {
  let counted = -1;
  let last = performance.now();
  while (performance.now() - last < QUIET) {
    if (seen.length !== counted) {
      counted = seen.length;
      last = performance.now();
      if (judge(published, seen).lost === 0) return;
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
