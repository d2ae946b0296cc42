import { generate } from 'mqtt-packet';
import type { SeededRandom } from '../../harness/seeded-random.ts';
import type { MutationBuffer } from './mutate.ts';
import type { Version } from './packets.ts';
import { connectPacket, honestPacket, publishPacket, subscribePacket } from './packets.ts';

/** Number of valid packets of each version, which are created once and then mutated. */
const STOCK = 2000;

const PINGREQ = Buffer.from([0xc0, 0x00]);

/* Types of acknowledgements with their flags. */
const PUBACK = 0x40;
const PUBREC = 0x50;
const PUBREL = 0x62;
const PUBCOMP = 0x70;
const ACKNOWLEDGEMENTS = [PUBACK, PUBREC, PUBREL, PUBCOMP] as const;

export type Stock = {
  readonly connects: (version: Version, persistent: boolean) => Buffer;
  readonly packets: (version: Version) => Buffer;
  /** Returns a SUBSCRIBE, or a QoS 2 PUBLISH without PUBREL. */
  readonly openings: (version: Version) => Buffer;
};

/** Creates the valid packets, which depend only on the random generator. */
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
  /** Adds a valid or a mutated CONNECT and first packets. Returns the number of mutated packets. */
  readonly begin: (buffer: MutationBuffer) => number;
  /**
   * Adds the next mutated packets, and a PINGREQ whose answer shows that the connection is open. Returns the
   * number of mutated packets.
   */
  readonly goOn: (buffer: MutationBuffer, known: readonly number[]) => number;
};

/** Creates a script. The parameter `known` of `goOn` has packet identifiers that the hub has sent. */
export function scriptOf(dice: SeededRandom, stock: Stock): Script {
  const version = dice.pick([3, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5] as const);
  const mild = dice.oneIn(2);
  const most = mild ? 30 : 3;

  const addAcknowledgement = (buffer: MutationBuffer, known: readonly number[]): void => {
    const id = known[dice.below(known.length)] ?? 1;
    const packet = Buffer.from([dice.pick(ACKNOWLEDGEMENTS), 2, id >> 8, id & 0xff]);
    if (dice.oneIn(3)) buffer.addMutated(packet, false);
    else buffer.add(packet);
  };

  return {
    begin: buffer => {
      if (dice.oneIn(12)) {
        const packet = stock.connects(version, false);
        if (dice.oneIn(2)) buffer.addBroken(packet);
        else buffer.addMutated(packet, false);
        return 1;
      }
      buffer.add(stock.connects(version, dice.oneIn(4)));
      for (let count = dice.below(5); count > 0; count--) buffer.add(stock.openings(version));
      return 0;
    },
    goOn: (buffer, known) => {
      const count = 1 + dice.below(most);
      for (let index = 0; index < count; index++) {
        if (known.length > 0 && dice.oneIn(4)) addAcknowledgement(buffer, known);
        const packet = stock.packets(version);
        if (!mild && dice.oneIn(4)) buffer.addBroken(packet);
        else buffer.addMutated(packet, mild);
      }
      buffer.add(PINGREQ);
      return count;
    },
  };
}
