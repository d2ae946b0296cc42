import { createIntMap } from '../core/collections/int-map.ts';
import { MAX_PACKET_ID } from './packets.ts';

/** Messages in flight by packet identifier: sent and not acknowledged (MQTT 3.1.1, 2.3.1; MQTT 5, 2.2.1). */
export type InFlight<Sent> = {
  /**
   * Stores `sent` under the next free identifier, or under `wanted` if given, and returns it; 0 if `wanted`
   * is in use.
   */
  readonly take: (sent: Sent, wanted?: number) => number;
  readonly get: (packetId: number) => Sent | undefined;
  readonly set: (packetId: number, sent: Sent) => void;
  /** Removes and returns what was sent, and frees its identifier. Undefined if nothing was sent under it. */
  readonly release: (packetId: number) => Sent | undefined;
  readonly size: () => number;
  /** In no order. */
  readonly all: () => Iterable<Sent>;
};

/** Creates the table. The caller bounds the number of entries, because there are 65,535 identifiers. */
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
 * The packet identifier of a message of a queue, derived from its sequence: the message is sent under the
 * same identifier after a reconnect and after a restart of the hub, without a write for it [MQTT-4.4.0-1].
 */
export function packetIdOf(sequence: number): number {
  return 1 + ((sequence - 1) % MAX_PACKET_ID);
}
