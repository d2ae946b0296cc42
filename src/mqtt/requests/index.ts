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

/** Packets from a client, except PUBLISH and its acknowledgements. */
export type Request = Connect | Subscribe | Unsubscribe | Disconnect | Auth | { readonly cmd: 'pingreq' };

/** Parsers by the first byte of the packet, which includes the required flags (MQTT 5, 2.1.3). */
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

/** First bytes of CONNACK, SUBACK, UNSUBACK and PINGRESP. Only a server is allowed to send these packets. */
const OF_SERVERS: readonly number[] = [0x20, 0x90, 0xb0, 0xd0];

/**
 * Parses a packet from a client. Returns an error if the packet is invalid. `first` is the first byte of the
 * packet. The bytes after the fixed header are at `start` to `end`.
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
      return protocolError(REASON.protocolError, 'it sent a packet that only a server may send');
    // Type and flags of a packet must be valid [MQTT-2.1.3-1].
    return protocolError(REASON.malformedPacket, 'a packet has an invalid type or invalid flags');
  }
  const reader = createPacketReader(bytes, start, end);
  const request = read(reader, version);
  if (reader.at < end) setError(reader, REASON.malformedPacket, 'a packet has bytes after its last field');
  return reader.error ?? request;
}
