import type { QoS } from '../../core/message.ts';
import { NO_VALUES, readProperties } from '../properties.ts';
import { qosOf } from '../read-publish.ts';
import type { PacketReader } from '../reader.ts';
import { readByte, readText, readUint16, setError } from '../reader.ts';
import { REASON } from '../reasons.ts';
import { isShared } from '../topics.ts';
import type { Version } from '../version.ts';

/** SUBSCRIBE packet (MQTT 5, 3.8). */
export type Subscribe = {
  readonly cmd: 'subscribe';
  readonly messageId: number;
  readonly subscriptionId: number | undefined;
  readonly subscriptions: readonly SubscriptionRequest[];
};

export type SubscriptionRequest = {
  readonly topic: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /**
   * Retain handling (3.8.3.1). 0: retained messages are sent at each SUBSCRIBE; 1: only if the subscription
   * is new; 2: never.
   */
  readonly retainHandling: number;
};

/** UNSUBSCRIBE packet (MQTT 5, 3.10). */
export type Unsubscribe = {
  readonly cmd: 'unsubscribe';
  readonly messageId: number;
  readonly filters: readonly string[];
};

/** Bits of the subscription options (3.8.3.1). Versions before 5 have only the QoS. */
const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;
const RESERVED = 0xc0;

/** Parses the bytes of SUBSCRIBE after the fixed header. Records errors in `reader.error`. */
export function readSubscribe(reader: PacketReader, version: Version): Subscribe {
  const messageId = readPacketId(reader, 'SUBSCRIBE');
  const { subscriptionIds } = version === 5 ? readProperties(reader, 'subscribe') : NO_VALUES;
  const subscriptions: SubscriptionRequest[] = [];
  while (reader.at < reader.end && reader.error === undefined)
    subscriptions.push(readRequest(reader, version));
  // A SUBSCRIBE has at least one filter [MQTT-3.8.3-2].
  if (subscriptions.length === 0) setError(reader, REASON.protocolError, 'SUBSCRIBE has no topic filter');
  return { cmd: 'subscribe', messageId, subscriptionId: subscriptionIds[0], subscriptions };
}

function readRequest(reader: PacketReader, version: Version): SubscriptionRequest {
  const topic = readText(reader);
  const options = readByte(reader);
  const qos = qosOf(options & 3);
  const retainHandling = (options >> 4) & 3;
  const noLocal = (options & NO_LOCAL) !== 0;
  // Reserved bits must be 0 [MQTT-3.8.3-5]. Before MQTT 5 all bits except the QoS are reserved
  // [MQTT-3-8.3-4].
  const reserved = version === 5 ? RESERVED : 0xfc;
  if ((options & reserved) !== 0)
    setError(reader, REASON.malformedPacket, 'its SUBSCRIBE sets reserved bits of the subscription options');
  if (qos === undefined || retainHandling === 3)
    setError(reader, REASON.protocolError, 'its SUBSCRIBE has an invalid QoS or retain handling');
  // A shared subscription must not have the option No Local [MQTT-3.8.3-4].
  if (noLocal && isShared(topic))
    setError(reader, REASON.protocolError, 'a shared subscription has No Local set');
  return {
    topic,
    qos: qos ?? 0,
    noLocal,
    retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0,
    retainHandling,
  };
}

/** Parses the bytes of UNSUBSCRIBE after the fixed header. Records errors in `reader.error`. */
export function readUnsubscribe(reader: PacketReader, version: Version): Unsubscribe {
  const messageId = readPacketId(reader, 'UNSUBSCRIBE');
  if (version === 5) readProperties(reader, 'unsubscribe');
  const filters: string[] = [];
  while (reader.at < reader.end && reader.error === undefined) filters.push(readText(reader));
  // An UNSUBSCRIBE has at least one filter [MQTT-3.10.3-2].
  if (filters.length === 0) setError(reader, REASON.protocolError, 'UNSUBSCRIBE has no topic filter');
  return { cmd: 'unsubscribe', messageId, filters };
}

/** Reads a packet identifier, which must not be 0 [MQTT-2.2.1-3]. */
function readPacketId(reader: PacketReader, packet: string): number {
  const packetId = readUint16(reader);
  if (packetId === 0) setError(reader, REASON.protocolError, `${packet} has no packet identifier`);
  return packetId;
}
