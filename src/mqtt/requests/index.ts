import { createPacketReader, setError } from '../reader.ts';
import type { ProtocolError } from '../reasons.ts';
import { protocolError, REASON } from '../reasons.ts';
import type { Version } from '../version.ts';
import type { Connect } from './connect.ts';
import { readConnect } from './connect.ts';
import type { Auth, Disconnect } from './end.ts';
import { readAuth, readDisconnect } from './end.ts';
import type { Subscribe, Unsubscribe } from './subscribe.ts';
import { readSubscribe, readUnsubscribe } from './subscribe.ts';

/** Packets of a client other than PUBLISH and its acknowledgements. */
export type Request = Connect | Subscribe | Unsubscribe | Disconnect | Auth | { readonly cmd: 'pingreq' };

/** First bytes, with the flags that must stand in them (MQTT 5, 2.1.3). */
const READERS: ReadonlyMap<number, (...args: Parameters<typeof readSubscribe>) => Request> = new Map<
  number,
  (...args: Parameters<typeof readSubscribe>) => Request
>([
  [0x10, readConnect],
  [0x82, readSubscribe],
  [0xa2, readUnsubscribe],
  [0xc0, () => ({ cmd: 'pingreq' })],
  [0xe0, readDisconnect],
  [0xf0, readAuth],
]);

/** CONNACK, SUBACK, UNSUBACK, PINGRESP. */
const OF_SERVERS: readonly number[] = [0x20, 0x90, 0xb0, 0xd0];

/**
 * Parses the packet whose first byte is `first` and whose rest is at `start` to `end`, or returns its error.
 */
export function readRequest(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: Version,
): Request | ProtocolError {
  const read = READERS.get(first);
  if (read === undefined) {
    if (OF_SERVERS.includes(first))
      return protocolError(REASON.protocolError, 'it sent what only a server sends');
    // [MQTT-2.1.3-1]
    return protocolError(REASON.malformedPacket, 'a packet has a type or flags that there are not');
  }
  const reader = createPacketReader(bytes, start, end);
  const request = read(reader, version);
  if (reader.at < end) setError(reader, REASON.malformedPacket, 'a packet is longer than it says');
  return reader.error ?? request;
}
