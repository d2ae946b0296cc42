import { MAX_PACKET_ID } from './packets.ts';

/** What was sent under a packet identifier and is not yet acknowledged (MQTT 3.1.1, 2.3.1). */
export type InFlight<Sent> = {
  /** Keeps `sent` under the next free identifier, which it returns. */
  readonly take: (sent: Sent) => number;
  /** Gives back what was sent and frees its identifier; undefined: nothing was. */
  readonly release: (packetId: number) => Sent | undefined;
  readonly clear: () => void;
};

/** The caller bounds how many it takes: there are 65,535 identifiers. */
export function createInFlight<Sent>(): InFlight<Sent> {
  const sent = new Map<number, Sent>();
  let last = 0;
  return {
    take: value => {
      do last = last === MAX_PACKET_ID ? 1 : last + 1;
      while (sent.has(last));
      sent.set(last, value);
      return last;
    },
    release: packetId => {
      const value = sent.get(packetId);
      sent.delete(packetId);
      return value;
    },
    clear: () => sent.clear(),
  };
}
