import type { OnDurable } from '../../core/message.ts';
import type { MetadataEntry } from '../../queue/types.ts';
import { MAX_UNRELEASED } from '../limits.ts';

/** Durable record of received QoS 2 messages whose PUBREL has not arrived (MQTT 5, 4.3.3). */
export type Qos2InboundStore = {
  readonly load: () => number[];
  /** Returns the metadata entry that must be stored in the same commit as the message. */
  readonly note: (packetId: number) => MetadataEntry;
  readonly forget: (packetId: number, settle: OnDurable) => void;
};

/** Received QoS 2 message whose PUBREL has not arrived. */
export type InboundMessage = {
  readonly packetId: number;
  /** True if the message is durable. */
  safe: boolean;
  /** True from the PUBREL until the durable record is deleted. */
  releasing: boolean;
  /** Sends PUBREC on the link on which the message arrived last. */
  pay: () => void;
};

/**
 * Packet identifiers of received QoS 2 messages. The identifiers survive reconnects and restarts, so that
 * each message is accepted only once.
 */
export type Qos2Inbound = {
  /**
   * Registers a received PUBLISH. `pay` sends PUBREC and is called when the message is durable. Returns
   * undefined for a duplicate. The `pay` of a duplicate is called when the first PUBLISH is durable.
   */
  readonly arrive: (packetId: number, pay: () => void) => InboundMessage | undefined;
  readonly note: Qos2InboundStore['note'];
  /** Records that the message and its metadata are durable, and sends PUBREC. */
  readonly safe: (arrival: InboundMessage) => void;
  /**
   * Removes the identifier of a message that was not stored, so that the next message with this identifier
   * does not count as a duplicate.
   */
  readonly lost: (arrival: InboundMessage) => void;
  /**
   * Handles PUBREL. Calls `done` when the server can reuse the identifier. Returns false for an unexpected
   * PUBREL: before PUBREC was sent, repeated, or with an unknown identifier. For an unknown identifier,
   * `done` is called too.
   */
  readonly release: (packetId: number, done: () => void) => boolean;
  /** Returns true if the identifier is new and the maximum number of messages without PUBREL is reached. */
  readonly isFull: (packetId: number) => boolean;
  /** Deletes all records. Called when the server has lost the session. */
  readonly forgetAll: () => void;
};

const nothing = (): void => {};

export function openQos2Inbound(store: Qos2InboundStore): Qos2Inbound {
  const arrivals = new Map<number, InboundMessage>();
  for (const packetId of store.load())
    arrivals.set(packetId, { packetId, safe: true, releasing: false, pay: nothing });

  return {
    arrive: (packetId, pay) => {
      const existing = arrivals.get(packetId);
      if (existing === undefined) {
        const arrival = { packetId, safe: false, releasing: false, pay };
        arrivals.set(packetId, arrival);
        return arrival;
      }
      if (existing.safe) pay();
      else existing.pay = pay;
      return undefined;
    },
    note: store.note,
    safe: arrival => {
      // If the server has lost the session in the meantime, the record is deleted. In the next session, the
      // identifier belongs to another message.
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
      // The record is deleted before `done` is called. Otherwise a new message with the same identifier would
      // count as a duplicate.
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
