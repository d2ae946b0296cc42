import { MAX_PACKET_ID } from '../../mqtt/packets.ts';

/** Packet identifiers in use towards one client, and what each stands for (MQTT 5, 2.2.1). */
export type Window<Flight> = {
  /** True: as many are on their way as the client takes (its Receive Maximum, MQTT 5, 4.9). */
  readonly full: () => boolean;
  /** Uses the next free identifier, or `wanted` alone if it is given; 0: that one is in use. */
  readonly take: (flight: Flight, wanted?: number) => number;
  readonly get: (packetId: number) => Flight | undefined;
  readonly set: (packetId: number, flight: Flight) => void;
  readonly release: (packetId: number) => Flight | undefined;
  readonly flights: () => Iterable<Flight>;
};

/** `limit` is less than the number of identifiers, so that one is always free. */
export function createWindow<Flight>(limit: number): Window<Flight> {
  const flights = new Map<number, Flight>();
  let last = 0;

  const next = (): number => {
    do last = last === MAX_PACKET_ID ? 1 : last + 1;
    while (flights.has(last));
    return last;
  };

  return {
    full: () => flights.size >= limit,
    take: (flight, wanted) => {
      if (wanted !== undefined && flights.has(wanted)) return 0;
      const packetId = wanted ?? next();
      flights.set(packetId, flight);
      return packetId;
    },
    get: packetId => flights.get(packetId),
    set: (packetId, flight) => {
      flights.set(packetId, flight);
    },
    release: packetId => {
      const flight = flights.get(packetId);
      if (flight !== undefined) flights.delete(packetId);
      return flight;
    },
    flights: () => flights.values(),
  };
}
