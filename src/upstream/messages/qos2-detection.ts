import type { Log } from '../../core/log.ts';
import { UNPRODUCTIVE_CONNECTIONS } from '../limits.ts';

/** Durable results of the QoS 2 detection by address. */
export type Qos2SupportStore = {
  readonly load: () => Iterable<readonly [address: string, offers: boolean]>;
  readonly save: (all: Iterable<readonly [address: string, offers: boolean]>) => void;
};

/** QoS settings of a link. */
export type Offer = {
  readonly qos: 1 | 2;
  /** Support for QoS 2 is unknown: a single message is sent until the server answers it as QoS 2. */
  readonly unproven: boolean;
  /** The message that ended links at QoS 2 is tried at QoS 1. */
  readonly trial: boolean;
};

/**
 * QoS 2 detection. MQTT 3.1.1 cannot announce the maximum QoS, and servers without QoS 2 differ: some handle
 * it as QoS 1, some close the connection. An address that closed its links for a single message several times
 * in a row and then accepts the same message at QoS 1 does not support QoS 2. An address that has answered as
 * QoS 2 supports it, whatever ends its links.
 */
export type Qos2Detection = {
  /** Starts a link. `most` is the Maximum QoS that the server announces. */
  readonly begin: (address: string, most: number) => Offer;
  /** Records that the address answered as QoS 2, or as a server without QoS 2. */
  readonly learn: (address: string, offers: boolean) => void;
  /**
   * Records that the server closed a link before QoS 2 was proven, with the sequence of the message in
   * flight.
   */
  readonly missed: (address: string, suspect: number | undefined, sure: boolean) => void;
  /** Records that the server acknowledged a message on the current link. */
  readonly taken: (sequence: number) => void;
  /** Records that the link ended for another reason. */
  readonly lost: (address: string) => void;
  /** Records that the server has no session: it may be another server than before. */
  readonly forget: (address: string) => void;
};

type Doubt = { readonly address: string; misses: number; suspect: number | undefined };

/** QoS 1 without detection. */
export const PLAIN: Offer = { qos: 1, unproven: false, trial: false };
const TRIAL: Offer = { qos: 1, unproven: false, trial: true };
const OFFERED: Offer = { qos: 2, unproven: false, trial: false };
const UNPROVEN: Offer = { qos: 2, unproven: true, trial: false };

export function createQos2Detection(
  store: Qos2SupportStore,
  addresses: readonly string[],
  log: Log,
): Qos2Detection {
  const kept = new Map(Array.from(store.load()).filter(([address]) => addresses.includes(address)));
  /** Only positive results are loaded: an address without QoS 2 may support it now, so it is tested again. */
  const known = new Map(Array.from(kept).filter(([, offers]) => offers));
  const doubts = new Map<string, Doubt>();
  const told = new Set<string>();
  /** Subject of the current trial. */
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
      // Unless the server answers, the next link uses QoS 2 again.
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
