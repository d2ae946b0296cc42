import { generate } from 'mqtt-packet';
import type { SeededRandom } from '../../harness/seeded-random.ts';
import type { Bench } from './mutate.ts';
import type { Version } from './packets.ts';
import { connectPacket, honestPacket, publishPacket, subscribePacket } from './packets.ts';

/** Honest packets of each version that are made once, and then mutated in ever other ways. */
const STOCK = 2000;

const PINGREQ = Buffer.from([0xc0, 0x00]);

/** Types of acknowledgements, each with the flags that it must have. */
const PUBACK = 0x40;
const PUBREC = 0x50;
const PUBREL = 0x62;
const PUBCOMP = 0x70;
const ACKNOWLEDGEMENTS = [PUBACK, PUBREC, PUBREL, PUBCOMP] as const;

export type Stock = {
  readonly connects: (version: Version, persistent: boolean) => Buffer;
  readonly packets: (version: Version) => Buffer;
  /** SUBSCRIBE, and PUBLISH of QoS 2 whose flow is then open. */
  readonly openings: (version: Version) => Buffer;
};

/** Makes the honest packets; the same dice make the same ones. */
export function createStock(dice: SeededRandom): Stock {
  const make = (one: (version: Version) => Buffer): ((version: Version) => Buffer) => {
    const made = new Map<Version, Buffer[]>();
    for (const version of [3, 4, 5] as const) {
      made.set(
        version,
        Array.from({ length: STOCK }, () => one(version)),
      );
    }
    return version => made.get(version)?.[dice.below(STOCK)] ?? PINGREQ;
  };
  const clean = make(version => connectPacket(dice, version, false));
  const kept = make(version => connectPacket(dice, version, true));
  return {
    connects: (version, persistent) => (persistent ? kept(version) : clean(version)),
    packets: make(version => honestPacket(dice, version)),
    openings: make(version => {
      const id = 1 + dice.below(40);
      const packet = dice.oneIn(2) ? subscribePacket(dice, version, id) : publishPacket(dice, version, 2, id);
      return generate(packet, { protocolVersion: version });
    }),
  };
}

/** Packets of one connection. */
export type Script = {
  /** Adds the honest beginning, or one whose CONNECT is mutated; returns how many packets were mutated. */
  readonly begin: (bench: Bench) => number;
  /**
   * Adds the next mutated packets, and a PINGREQ that shows whether they were survived; returns how many were
   * mutated.
   */
  readonly goOn: (bench: Bench, known: readonly number[]) => number;
};

/** `known` to `goOn` are packet identifiers of what the hub has sent on the connection. */
export function scriptOf(dice: SeededRandom, stock: Stock): Script {
  const version = dice.pick([3, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5] as const);
  const mild = dice.oneIn(2);
  const most = mild ? 30 : 3;

  const addAcknowledgement = (bench: Bench, known: readonly number[]): void => {
    const id = known[dice.below(known.length)] ?? 1;
    const packet = Buffer.from([dice.pick(ACKNOWLEDGEMENTS), 2, id >> 8, id & 0xff]);
    if (dice.oneIn(3)) bench.addMutated(packet, false);
    else bench.add(packet);
  };

  return {
    begin: bench => {
      if (dice.oneIn(12)) {
        const packet = stock.connects(version, false);
        if (dice.oneIn(2)) bench.addBroken(packet);
        else bench.addMutated(packet, false);
        return 1;
      }
      bench.add(stock.connects(version, dice.oneIn(4)));
      for (let count = dice.below(5); count > 0; count--) bench.add(stock.openings(version));
      return 0;
    },
    goOn: (bench, known) => {
      const count = 1 + dice.below(most);
      for (let index = 0; index < count; index++) {
        if (known.length > 0 && dice.oneIn(4)) addAcknowledgement(bench, known);
        const packet = stock.packets(version);
        if (!mild && dice.oneIn(4)) bench.addBroken(packet);
        else bench.addMutated(packet, mild);
      }
      bench.add(PINGREQ);
      return count;
    },
  };
}
