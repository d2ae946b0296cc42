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
 * Packet identifiers of received QoS 2 messages. They survive reconnects and restarts, so that each message
 * is accepted only once.
 */
export type Qos2Inbound = {
  /**
   * Registers a PUBLISH. Returns undefined if the PUBLISH is a duplicate. For a duplicate, `pay` is called
   * when the first PUBLISH is durable.
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
   * Handles PUBREL. Calls `done` when the identifier may be reused. Returns false if the PUBREL was not
   * expected: because PUBREC has not been sent, because the PUBREL is a repetition, or because the identifier
   * is unknown. In the last case `done` is called too.
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
      // If the session was lost in the meantime, the record is deleted, because the identifier belongs to
      // another message in the next session.
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
      // The record is deleted before the identifier may be reused. Otherwise a new message with this
      // identifier would count as a duplicate.
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
