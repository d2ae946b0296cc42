import type { OnDurable } from '../../core/message.ts';
import type { MetadataEntry } from '../../queue/types.ts';
import { MAX_UNRELEASED } from '../limits.ts';

/** Durable record of received QoS 2 messages whose PUBREL has not arrived (MQTT 5, 4.3.3). */
export type Qos2InboundStore = {
  readonly load: () => number[];
  /** Metadata entry that is stored atomically with the message. */
  readonly note: (packetId: number) => MetadataEntry;
  readonly forget: (packetId: number, settle: OnDurable) => void;
};

/** QoS 2 message that is being received. `acknowledge` sends PUBREC on the link that brought it last. */
export type InboundMessage = {
  readonly packetId: number;
  safe: boolean;
  releasing: boolean;
  pay: () => void;
};

/**
 * Packet identifiers of received QoS 2 messages, across connections and restarts. Each message is accepted
 * once.
 */
export type Qos2Inbound = {
  /**
   * Registers a PUBLISH. Returns the new message; undefined if it is a duplicate, which is acknowledged when
   * the message is durable.
   */
  readonly arrive: (packetId: number, pay: () => void) => InboundMessage | undefined;
  readonly note: Qos2InboundStore['note'];
  /** Called when the message and its metadata are on disk. */
  readonly safe: (arrival: InboundMessage) => void;
  /** Called when the message was not accepted: the same identifier is new next time. */
  readonly lost: (arrival: InboundMessage) => void;
  /**
   * Handles PUBREL. Calls `done` when the identifier may be reused. Returns false if PUBREL was not expected:
   * the identifier is unknown (`done` is called anyway), PUBREC has not been sent, or PUBREL is a repetition.
   */
  readonly release: (packetId: number, done: () => void) => boolean;
  /** True if the maximum number of messages wait for their PUBREL and this identifier is new. */
  readonly isFull: (packetId: number) => boolean;
  /** Called when the upstream has lost the session. */
  readonly forgetAll: () => void;
};

const nothing = (): void => {};

export function openQos2Inbound(store: Qos2InboundStore): Qos2Inbound {
  const arrivals = new Map<number, InboundMessage>();
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
      // The session was lost meanwhile; in the next session the identifier belongs to another message.
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
      // Removed before the identifier is reused, because a new message under it must not count as a
      // duplicate.
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
