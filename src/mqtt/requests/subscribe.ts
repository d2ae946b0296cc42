import type { QoS } from '../../core/message.ts';
import { NO_VALUES, readProperties } from '../properties.ts';
import { qosOf } from '../read-publish.ts';
import type { PacketReader } from '../reader.ts';
import { readByte, readText, readUint16, setError } from '../reader.ts';
import { REASON } from '../reasons.ts';
import { isShared } from '../topics.ts';
import type { Version } from '../version.ts';

/** SUBSCRIBE (MQTT 5, 3.8). */
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
  /** 0: send what is retained, 1: if the subscription is new, 2: do not (3.8.3.1). */
  readonly retainHandling: number;
};

/** UNSUBSCRIBE (MQTT 5, 3.10). */
export type Unsubscribe = {
  readonly cmd: 'unsubscribe';
  readonly messageId: number;
  readonly filters: readonly string[];
};

/** Subscription options (3.8.3.1); versions before 5 have the QoS alone. */
const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;
const RESERVED = 0xc0;

/** Reads what follows the fixed header; what is wrong is the reader's fault. */
export function readSubscribe(reader: PacketReader, version: Version): Subscribe {
  const messageId = readPacketId(reader, 'SUBSCRIBE');
  const { subscriptionIds } = version === 5 ? readProperties(reader, 'subscribe') : NO_VALUES;
  const subscriptions: SubscriptionRequest[] = [];
  while (reader.at < reader.end && reader.error === undefined)
    subscriptions.push(readRequest(reader, version));
  // [MQTT-3.8.3-2]
  if (subscriptions.length === 0) setError(reader, REASON.protocolError, 'its SUBSCRIBE has no topic filter');
  return { cmd: 'subscribe', messageId, subscriptionId: subscriptionIds[0], subscriptions };
}

function readRequest(reader: PacketReader, version: Version): SubscriptionRequest {
  const topic = readText(reader);
  const options = readByte(reader);
  const qos = qosOf(options & 3);
  const retainHandling = (options >> 4) & 3;
  const noLocal = (options & NO_LOCAL) !== 0;
  // [MQTT-3.8.3-5]; before MQTT 5 all but the QoS is reserved [MQTT-3-8.3-4].
  const reserved = version === 5 ? RESERVED : 0xfc;
  if ((options & reserved) !== 0)
    setError(reader, REASON.malformedPacket, 'its SUBSCRIBE has options that there are not');
  if (qos === undefined || retainHandling === 3)
    setError(reader, REASON.protocolError, 'its SUBSCRIBE has a QoS or a retain handling that there is not');
  // [MQTT-3.8.3-4]
  if (noLocal && isShared(topic))
    setError(reader, REASON.protocolError, 'its shared subscription has No Local set');
  return {
    topic,
    qos: qos ?? 0,
    noLocal,
    retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0,
    retainHandling,
  };
}

/** Parses the body of UNSUBSCRIBE; errors are recorded in the reader. */
export function readUnsubscribe(reader: PacketReader, version: Version): Unsubscribe {
  const messageId = readPacketId(reader, 'UNSUBSCRIBE');
  if (version === 5) readProperties(reader, 'unsubscribe');
  const filters: string[] = [];
  while (reader.at < reader.end && reader.error === undefined) filters.push(readText(reader));
  // [MQTT-3.10.3-2]
  if (filters.length === 0) setError(reader, REASON.protocolError, 'its UNSUBSCRIBE has no topic filter');
  return { cmd: 'unsubscribe', messageId, filters };
}

/** [MQTT-2.2.1-3] */
function readPacketId(reader: PacketReader, packet: string): number {
  const packetId = readUint16(reader);
  if (packetId === 0) setError(reader, REASON.protocolError, `its ${packet} has no packet identifier`);
  return packetId;
}
