import { createIntMap } from '../core/collections/int-map.ts';
import { MAX_PACKET_ID } from './packets.ts';

/** Messages in flight by packet identifier: sent and not acknowledged (MQTT 3.1.1, 2.3.1; MQTT 5, 2.2.1). */
export type InFlight<Sent> = {
  /**
   * Stores `sent`, and returns its packet identifier: `wanted` if `wanted` is defined, otherwise the next
   * free identifier. Returns 0 if `wanted` is in use.
   */
  readonly take: (sent: Sent, wanted?: number) => number;
  readonly get: (packetId: number) => Sent | undefined;
  readonly set: (packetId: number, sent: Sent) => void;
  /**
   * Removes and returns the message with this identifier. The identifier becomes free. Undefined if there is
   * no such message.
   */
  readonly release: (packetId: number) => Sent | undefined;
  readonly size: () => number;
  /** Returns all messages in no particular order. */
  readonly all: () => Iterable<Sent>;
};

/**
 * Creates the table of messages in flight. The caller must limit the number of messages to at most 65,535,
 * the number of packet identifiers.
 */
export function createInFlight<Sent>(): InFlight<Sent> {
  const sent = createIntMap<Sent>();
  let last = 0;

  const next = (): number => {
    do last = last === MAX_PACKET_ID ? 1 : last + 1;
    while (sent.has(last));
    return last;
  };

  return {
    take: (value, wanted) => {
      if (wanted !== undefined && sent.has(wanted)) return 0;
      const packetId = wanted ?? next();
      sent.set(packetId, value);
      return packetId;
    },
    get: sent.get,
    set: sent.set,
    release: sent.delete,
    size: sent.size,
    all: sent.values,
  };
}

/**
 * Derives the packet identifier of a queue entry from the sequence number of the entry. Therefore the message
 * is sent with the same identifier after a reconnect or a restart of the hub [MQTT-4.4.0-1], although the
 * identifier is not on disk.
 */
export function packetIdOf(sequence: number): number {
  return 1 + ((sequence - 1) % MAX_PACKET_ID);
}
