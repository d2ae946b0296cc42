import type {
  IConnectPacket,
  IPublishPacket,
  ISubscribePacket,
  IUnsubscribePacket,
  Packet,
} from 'mqtt-packet';
import { generate, writeToStream } from 'mqtt-packet';
import type { Publish } from './publish.ts';

export type {
  IConnectPacket as ConnectPacket,
  ISubscribePacket as SubscribePacket,
  IUnsubscribePacket as UnsubscribePacket,
  Packet,
};

// mqtt-packet would keep a buffer for each of 65,536 numbers: 12 MB, from the first packet on.
writeToStream.cacheNumbers = false;

/** A packet as it came in. */
export type Incoming = Exclude<Packet, IPublishPacket> | Publish;

/** Return codes of CONNACK, MQTT 3.1.1, 3.2.2.3. */
export const CONNACK = {
  accepted: 0,
  unacceptableVersion: 1,
  identifierRejected: 2,
  serverUnavailable: 3,
  badCredentials: 4,
  notAuthorized: 5,
} as const;

/** SUBACK's return code for a refused filter, MQTT 3.1.1, 3.9.3. */
export const SUBACK_FAILURE = 0x80;

/** The highest packet identifier, MQTT 3.1.1, 2.3.1. */
export const MAX_PACKET_ID = 65_535;

/** The bytes of a packet in MQTT 3.1.1. */
export function encode(packet: Packet): Buffer {
  return generate(packet);
}
