import { setTimeout as pause } from 'node:timers/promises';
import type { Broker } from '../../harness/brokers/brokers.ts';
import type { Network, NetworkCondition } from '../../harness/network/proxy.ts';
import type { SeededRandom } from '../../harness/seeded-random.ts';

const CONDITIONS: readonly [NetworkCondition, ...NetworkCondition[]] = [
  'slow',
  'dropAnswers',
  'halfOpen',
  'blackHole',
  'refusing',
];

/** Milliseconds at most: between two misfortunes, of bad weather, and that a broker is away. */
const CALM = 1_500;
const STORM = 2_500;
const AWAY = 2_500;

export type Misfortunes = {
  /** Times that each hub below the upstream was killed, from below. */
  readonly hubKills: number[];
  /** Stops of the broker's nodes. */
  stops: number;
  kills: number;
  /** Cuts of each network, starting at the broker. */
  readonly cuts: number[];
  readonly storms: number[];
};

export type ChaosSettings = {
  readonly broker: Broker;
  readonly hubs: readonly Broker[];
  readonly networks: readonly Network[];
  readonly hubKills: number;
  /** Worst fault of the broker. */
  readonly worst: 'kept' | 'stopped' | 'killed';
  readonly seconds: number;
  /** A stream of dice for each number. */
  readonly diceFor: (stream: number) => SeededRandom;
};

/** Breaks what it can for a time, and resolves when all runs and the weather is clear. */
export async function chaos(settings: ChaosSettings): Promise<Misfortunes> {
  const done: Misfortunes = {
    hubKills: settings.hubs.map(() => 0),
    stops: 0,
    kills: 0,
    cuts: settings.networks.map(() => 0),
    storms: settings.networks.map(() => 0),
  };
  const end = performance.now() + settings.seconds * 1000;
  const [hubs, broker, network] = [settings.diceFor(1), settings.diceFor(2), settings.diceFor(3)];
  await Promise.all([
    killHubs(settings, hubs, done),
    troubleBroker(settings, broker, done, end),
    troubleNetworks(settings, network, done, end),
  ]);
  return done;
}

/** As often as asked, at random moments. */
async function killHubs({ hubs, hubKills, seconds }: ChaosSettings, dice: SeededRandom, done: Misfortunes) {
  const share = (seconds * 1000) / Math.max(1, hubKills);
  for (let kills = 0; kills < hubKills; kills++) {
    await pause(dice.below(share));
    const at = dice.below(hubs.length);
    await hubs[at]?.end('SIGKILL');
    count(done.hubKills, at);
    await hubs[at]?.start();
  }
}

/** Takes one node away at a time, or now and then all in order. */
async function troubleBroker(settings: ChaosSettings, dice: SeededRandom, done: Misfortunes, end: number) {
  const { broker, worst } = settings;
  if (worst === 'kept') return;
  for (await pause(dice.below(CALM)); performance.now() < end; await pause(dice.below(CALM))) {
    const kill = worst === 'killed' && dice.oneIn(2);
    const all = !kill && dice.oneIn(3);
    const node = all ? undefined : dice.below(broker.ports.length);
    await broker.end(kill ? 'SIGKILL' : 'SIGTERM', node);
    if (kill) done.kills++;
    else done.stops++;
    await pause(dice.below(AWAY));
    await broker.start();
  }
}

async function troubleNetworks(
  { networks }: ChaosSettings,
  dice: SeededRandom,
  done: Misfortunes,
  end: number,
) {
  for (await pause(dice.below(CALM)); performance.now() < end; await pause(dice.below(CALM))) {
    const at = dice.below(networks.length);
    const network = networks[at];
    if (dice.oneIn(2)) {
      network?.cut();
      count(done.cuts, at);
      continue;
    }
    network?.setCondition(dice.pick(CONDITIONS));
    count(done.storms, at);
    await pause(dice.below(STORM));
    network?.setCondition('normal');
  }
}

function count(counts: number[], at: number): void {
  counts[at] = (counts[at] ?? 0) + 1;
}
