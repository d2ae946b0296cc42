import type { Log } from '../core/log.ts';
import { UNPRODUCTIVE_CONNECTIONS } from './limits.ts';

/** What was found out of addresses: whether they offer QoS 2. Kept on disk. */
export type OfferStore = {
  readonly load: () => Iterable<readonly [address: string, offers: boolean]>;
  readonly save: (all: Iterable<readonly [address: string, offers: boolean]>) => void;
};

/** How a link goes. */
export type Offer = {
  readonly qos: 1 | 2;
  /** Nobody knows yet whether the address offers that: one message alone, until it answers as at QoS 2. */
  readonly unproven: boolean;
  /** The message that it ended links for at QoS 2 goes at QoS 1. */
  readonly trial: boolean;
};

/**
 * Which addresses offer QoS 2. MQTT 3.1.1 has no word for that, and what servers do that do not differs: some take it as
 * QoS 1, and some end the link. An address that was sent one message alone, ended its links for it in a row, and then takes
 * the same one at QoS 1 does not offer it. One that has answered as at QoS 2 does, whatever its links end for.
 */
export type Offers = {
  /** `most`: what it says itself. */
  readonly begin: (address: string, most: number) => Offer;
  /** It answered as at QoS 2, or as one that has it not. */
  readonly learn: (address: string, offers: boolean) => void;
  /** It ended a link on which it had not shown yet that it offers QoS 2, for the message of this sequence if it was one. */
  readonly missed: (address: string, suspect: number | undefined, sure: boolean) => void;
  /** The address of the link that goes on took a message. */
  readonly taken: (sequence: number) => void;
  /** The link was lost for another reason. */
  readonly lost: (address: string) => void;
  /** It knows no session: it may be another server than the one that offered it. */
  readonly forget: (address: string) => void;
};

type Doubt = { readonly address: string; misses: number; suspect: number | undefined };

/** At QoS 1, and nothing is to be found out. */
export const PLAIN: Offer = { qos: 1, unproven: false, trial: false };
const TRIAL: Offer = { qos: 1, unproven: false, trial: true };
const OFFERED: Offer = { qos: 2, unproven: false, trial: false };
const UNPROVEN: Offer = { qos: 2, unproven: true, trial: false };

export function createOffers(store: OfferStore, addresses: readonly string[], log: Log): Offers {
  const kept = new Map(Array.from(store.load()).filter(([address]) => addresses.includes(address)));
  /** An address that did not offer it when the hub ran last may do so now: it is asked again, and believed sooner. */
  const known = new Map(Array.from(kept).filter(([, offers]) => offers));
  const doubts = new Map<string, Doubt>();
  const told = new Set<string>();
  /** What the trial that goes on is for. */
  let trial: Doubt | undefined;

  const fewest = (address: string): number =>
    kept.get(address) === false ? UNPRODUCTIVE_CONNECTIONS - 1 : 0;
  const doubtOf = (address: string): Doubt => {
    const doubt = doubts.get(address) ?? { address, misses: fewest(address), suspect: undefined };
    doubts.set(address, doubt);
    return doubt;
  };

  const tell = (address: string): void => {
    if (!told.has(address))
      log.warn(`${address} does not offer exactly once: a message may arrive twice there.`);
    told.add(address);
  };

  const learn = (address: string, offers: boolean): void => {
    if (!offers) tell(address);
    if (known.get(address) === offers) return;
    known.set(address, offers);
    doubts.delete(address);
    trial = undefined;
    if (kept.get(address) === offers) return;
    kept.set(address, offers);
    store.save(kept);
  };

  return {
    begin: (address, most) => {
      trial = undefined;
      if (most < 2) {
        tell(address);
        return PLAIN;
      }
      const offers = known.get(address);
      if (offers !== undefined) return offers ? OFFERED : PLAIN;
      const doubt = doubtOf(address);
      if (doubt.misses < UNPRODUCTIVE_CONNECTIONS) return UNPROVEN;
      // Whatever comes of it, if not its answer: the next link is at QoS 2 again.
      doubt.misses = UNPRODUCTIVE_CONNECTIONS - 1;
      trial = doubt;
      return TRIAL;
    },
    learn,
    missed: (address, suspect, sure) => {
      const doubt = doubtOf(address);
      doubt.misses = sure ? UNPRODUCTIVE_CONNECTIONS : doubt.misses + 1;
      doubt.suspect = suspect;
    },
    taken: sequence => {
      if (trial !== undefined && (trial.suspect ?? sequence) === sequence) learn(trial.address, false);
    },
    lost: address => {
      const doubt = doubts.get(address);
      if (doubt !== undefined) doubt.misses = fewest(address);
    },
    forget: address => {
      if (known.get(address) !== true) return;
      known.delete(address);
      kept.delete(address);
      store.save(kept);
    },
  };
}
