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

/** Maximum milliseconds between two faults. */
const MAX_PAUSE_MS = 1_500;

/** Maximum milliseconds of a network fault. */
const MAX_NETWORK_FAULT_MS = 2_500;

/** Maximum milliseconds of a stopped broker node. */
const MAX_DOWNTIME_MS = 2_500;

export type FaultCounts = {
  /** Kills of each hub, from the publishers on. */
  readonly hubKills: number[];
  /** Stops of broker nodes. */
  stops: number;
  /** Kills of broker nodes. */
  kills: number;
  /** Cuts of each network, starting at the broker. */
  readonly cuts: number[];
  /** Temporary faults of each network, starting at the broker. */
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
  /** Random generator for each stream number. */
  readonly randomFor: (stream: number) => SeededRandom;
};

/** Causes faults for a time. Resolves when all hubs and nodes run and all networks work. */
export async function chaos(settings: ChaosSettings): Promise<FaultCounts> {
  const done: FaultCounts = {
    hubKills: settings.hubs.map(() => 0),
    stops: 0,
    kills: 0,
    cuts: settings.networks.map(() => 0),
    storms: settings.networks.map(() => 0),
  };
  const end = performance.now() + settings.seconds * 1000;
  const [hubs, broker, network] = [settings.randomFor(1), settings.randomFor(2), settings.randomFor(3)];
  await Promise.all([
    killHubs(settings, hubs, done),
    troubleBroker(settings, broker, done, end),
    troubleNetworks(settings, network, done, end),
  ]);
  return done;
}

/** Kills hubs `hubKills` times at random moments. */
async function killHubs({ hubs, hubKills, seconds }: ChaosSettings, dice: SeededRandom, done: FaultCounts) {
  const share = (seconds * 1000) / Math.max(1, hubKills);
  for (let kills = 0; kills < hubKills; kills++) {
    await pause(dice.below(share));
    const at = dice.below(hubs.length);
    await hubs[at]?.end('SIGKILL');
    count(done.hubKills, at);
    await hubs[at]?.start();
  }
}

/** Stops or kills one broker node at a time, or stops all nodes in order. */
async function troubleBroker(settings: ChaosSettings, dice: SeededRandom, done: FaultCounts, end: number) {
  const { broker, worst } = settings;
  if (worst === 'kept') return;
  for (
    await pause(dice.below(MAX_PAUSE_MS));
    performance.now() < end;
    await pause(dice.below(MAX_PAUSE_MS))
  ) {
    const kill = worst === 'killed' && dice.oneIn(2);
    const all = !kill && dice.oneIn(3);
    const node = all ? undefined : dice.below(broker.ports.length);
    await broker.end(kill ? 'SIGKILL' : 'SIGTERM', node);
    if (kill) done.kills++;
    else done.stops++;
    await pause(dice.below(MAX_DOWNTIME_MS));
    await broker.start();
  }
}

async function troubleNetworks(
  { networks }: ChaosSettings,
  dice: SeededRandom,
  done: FaultCounts,
  end: number,
) {
  for (
    await pause(dice.below(MAX_PAUSE_MS));
    performance.now() < end;
    await pause(dice.below(MAX_PAUSE_MS))
  ) {
    const at = dice.below(networks.length);
    const network = networks[at];
    if (dice.oneIn(2)) {
      network?.cut();
      count(done.cuts, at);
      continue;
    }
    network?.setCondition(dice.pick(CONDITIONS));
    count(done.storms, at);
    await pause(dice.below(MAX_NETWORK_FAULT_MS));
    network?.setCondition('normal');
  }
}

function count(counts: number[], at: number): void {
  counts[at] = (counts[at] ?? 0) + 1;
}
