import type { Log } from '../../core/log.ts';
import { UNPRODUCTIVE_CONNECTIONS } from '../limits.ts';

/**
 * Durable results of the QoS 2 detection: for each address, `offers` is true if the server supports QoS 2.
 */
export type Qos2SupportStore = {
  readonly load: () => Iterable<readonly [address: string, offers: boolean]>;
  readonly save: (all: Iterable<readonly [address: string, offers: boolean]>) => void;
};

/** QoS settings of a link. */
export type Offer = {
  readonly qos: 1 | 2;
  /**
   * True if it is unknown whether the server supports QoS 2. Messages are then sent one at a time until the
   * server answers with PUBREC.
   */
  readonly unproven: boolean;
  /** True if the link tests QoS 1, because earlier links ended when a message was sent at QoS 2. */
  readonly trial: boolean;
};

/**
 * Detection of QoS 2 support. An MQTT 3.1.1 server cannot announce its maximum QoS. Some servers without QoS
 * 2 answer a QoS 2 message with PUBACK, other servers close the connection. If a server closes several links
 * in a row for the same QoS 2 message, and then accepts this message at QoS 1, the server does not support
 * QoS 2. A server that has sent PUBREC supports QoS 2, even if the server closes links later.
 */
export type Qos2Detection = {
  /** Returns the QoS settings of a new link. `most` is the Maximum QoS that the server announces. */
  readonly begin: (address: string, most: number) => Offer;
  /** Records the result of the detection for an address. `offers` is true if the server supports QoS 2. */
  readonly learn: (address: string, offers: boolean) => void;
  /**
   * Records that the server closed a link before the first PUBREC. `suspect` is the sequence number of the
   * message in flight. `sure` is true if the server named a packet of the hub as the cause.
   */
  readonly missed: (address: string, suspect: number | undefined, sure: boolean) => void;
  /** Records that the server acknowledged a message on the current link. */
  readonly taken: (sequence: number) => void;
  /** Records that the link ended because of the network or a timeout. */
  readonly lost: (address: string) => void;
  /**
   * Deletes the result that the server supports QoS 2. Called if the server has no session of the hub. Such a
   * server is possibly another server than before.
   */
  readonly forget: (address: string) => void;
};

/**
 * Number of failed QoS 2 links to an address, and the sequence number of the message in flight. Exists while
 * the hub does not know whether the server supports QoS 2.
 */
type Doubt = { readonly address: string; misses: number; suspect: number | undefined };

/** QoS settings of a link that sends at QoS 1 and does not test QoS 2. */
export const PLAIN: Offer = { qos: 1, unproven: false, trial: false };
const TRIAL: Offer = { qos: 1, unproven: false, trial: true };
const OFFERED: Offer = { qos: 2, unproven: false, trial: false };
const UNPROVEN: Offer = { qos: 2, unproven: true, trial: false };

export function createQos2Detection(
  store: Qos2SupportStore,
  addresses: readonly string[],
  log: Log,
): Qos2Detection {
  const stored = new Map(Array.from(store.load()).filter(([address]) => addresses.includes(address)));
  /**
   * Results of the detection by address: true if the server supports QoS 2. A stored `false` is ignored, so
   * that the server is tested again after a restart.
   */
  const known = new Map(Array.from(stored).filter(([, offers]) => offers));
  const doubts = new Map<string, Doubt>();
  const warned = new Set<string>();
  /** Failed QoS 2 links of the current address, while the current link tests QoS 1. Otherwise undefined. */
  let trial: Doubt | undefined;

  const initialMisses = (address: string): number =>
    stored.get(address) === false ? UNPRODUCTIVE_CONNECTIONS - 1 : 0;
  const doubtOf = (address: string): Doubt => {
    const doubt = doubts.get(address) ?? { address, misses: initialMisses(address), suspect: undefined };
    doubts.set(address, doubt);
    return doubt;
  };

  const warnOnce = (address: string): void => {
    if (!warned.has(address))
      log.warn(`The upstream server ${address} does not support QoS 2: a message can be delivered twice.`);
    warned.add(address);
  };

  const learn = (address: string, offers: boolean): void => {
    if (!offers) warnOnce(address);
    if (known.get(address) === offers) return;
    known.set(address, offers);
    doubts.delete(address);
    trial = undefined;
    if (stored.get(address) === offers) return;
    stored.set(address, offers);
    store.save(stored);
  };

  return {
    begin: (address, most) => {
      trial = undefined;
      if (most < 2) {
        warnOnce(address);
        return PLAIN;
      }
      const offers = known.get(address);
      if (offers !== undefined) return offers ? OFFERED : PLAIN;
      const doubt = doubtOf(address);
      if (doubt.misses < UNPRODUCTIVE_CONNECTIONS) return UNPROVEN;
      // The new link tests QoS 1. If this link ends without an acknowledgement, the next link uses QoS 2
      // again.
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
      if (doubt !== undefined) doubt.misses = initialMisses(address);
    },
    forget: address => {
      if (known.get(address) !== true) return;
      known.delete(address);
      stored.delete(address);
      store.save(stored);
    },
  };
}
