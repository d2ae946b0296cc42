import type { OnDurable } from '../core/message.ts';
import type { MetadataEntry } from '../queue/types.ts';
import { MAX_UNRELEASED } from './limits.ts';

/** Which messages at QoS 2 came down and are here, until the upstream knows that (MQTT 5, 4.3.3): kept on disk. */
export type ReceiptStore = {
  readonly load: () => number[];
  /** Is kept with the message, or not at all. */
  readonly note: (packetId: number) => MetadataEntry;
  readonly forget: (packetId: number, settle: OnDurable) => void;
};

/** One message on its way in; `pay` acknowledges it on the link that brought it last. */
export type Arrival = { readonly packetId: number; safe: boolean; releasing: boolean; pay: () => void };

/** Packet identifiers of messages at QoS 2 that came down, over connections and restarts: each message is taken in once. */
export type Arrivals = {
  /** What is new, and is to be taken in; undefined: it is here, or on its way, and is paid when it is safe. */
  readonly arrive: (packetId: number, pay: () => void) => Arrival | undefined;
  readonly note: ReceiptStore['note'];
  /** The message and its note are on disk. */
  readonly safe: (arrival: Arrival) => void;
  /** It was not taken in: it is new when it comes again. */
  readonly lost: (arrival: Arrival) => void;
  /**
   * The upstream knows that it is here: `done` once its identifier may stand for another. False: PUBREL was not due, because
   * nothing is known of the identifier (`done` is called all the same), because PUBREC was not sent, or because it repeats one.
   */
  readonly release: (packetId: number, done: () => void) => boolean;
  /** True if so many messages wait for their PUBREL that a new one under this identifier has no place. */
  readonly isFull: (packetId: number) => boolean;
  /** The upstream has forgotten the session. */
  readonly forgetAll: () => void;
};

const nothing = (): void => {};

export function openArrivals(store: ReceiptStore): Arrivals {
  const arrivals = new Map<number, Arrival>();
  for (const packetId of store.load())
    arrivals.set(packetId, { packetId, safe: true, releasing: false, pay: nothing });

  return {
    arrive: (packetId, pay) => {
      const known = arrivals.get(packetId);
      if (known === undefined) {
        const arrival = { packetId, safe: false, releasing: false, pay };
        arrivals.set(packetId, arrival);
        return arrival;
      }
      if (known.safe) pay();
      else known.pay = pay;
      return undefined;
    },
    note: store.note,
    safe: arrival => {
      // Its session was forgotten meanwhile: in the next one the identifier is another message's.
      if (arrivals.get(arrival.packetId) !== arrival) store.forget(arrival.packetId, nothing);
      arrival.safe = true;
      arrival.pay();
    },
    lost: arrival => {
      if (arrivals.get(arrival.packetId) === arrival) arrivals.delete(arrival.packetId);
    },
    release: (packetId, done) => {
      const arrival = arrivals.get(packetId);
      if (arrival === undefined) {
        done();
        return false;
      }
      if (!arrival.safe || arrival.releasing) return false;
      arrival.releasing = true;
      // Not before: a message that comes under the identifier then must not be taken for the one that is here.
      store.forget(packetId, error => {
        arrival.releasing = false;
        if (error !== undefined) return;
        if (arrivals.get(packetId) === arrival) arrivals.delete(packetId);
        done();
      });
      return true;
    },
    isFull: packetId => arrivals.size >= MAX_UNRELEASED && !arrivals.has(packetId),
    forgetAll: () => {
      for (const packetId of arrivals.keys()) store.forget(packetId, nothing);
      arrivals.clear();
    },
  };
}
