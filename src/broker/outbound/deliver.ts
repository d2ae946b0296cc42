import { noteException } from '../../core/containment.ts';
import type { Message } from '../../core/message.ts';
import type { BrokerContext } from '../context.ts';
import { isOwn } from '../inbound/publication.ts';
import type { Session } from '../sessions/session.ts';
import type { SharedGroup } from '../sessions/shared.ts';
import { memberOptions, membersFrom } from '../sessions/shared.ts';
import type { DeliveryOptions } from '../sessions/subscriptions.ts';
import type { BrokerCounts } from '../types.ts';
import type { SharedPackets } from './transmit.ts';
import { createSharedPackets, lowerQos, transmit, transmitBytes } from './transmit.ts';

/** Part of the broker's context that `deliver` uses. */
export type DeliveryContext = Pick<BrokerContext, 'sessions' | 'counts' | 'log'>;

/** Names of the queues in which a message must be stored. */
export type Durable = string[];

/**
 * Delivers a message to its subscribers, and returns the number of subscribers. If the message must be stored
 * for a subscriber, adds the name of the subscriber's queue to `durable`. The caller must store the message
 * in these queues. Sends the message directly to all other subscribers.
 */
export function deliver(
  { sessions, counts, log }: DeliveryContext,
  message: Message,
  durable: Durable,
): number {
  const { all } = sessions.subscriptions.match(message.topic);
  const packets = all.length > 1 ? createSharedPackets(message) : undefined;
  let subscribers = 0;
  for (const { subscriber, options: combined } of all) {
    if (subscriber.kind === 'group') {
      subscribers++;
      if (!deliverToMember(counts, subscriber, message, durable)) counts.dropped++;
      continue;
    }
    const options = isOwn(subscriber, message) ? combined.own : combined;
    if (options === undefined) continue;
    subscribers++;
    try {
      if (!deliverTo(counts, subscriber, options, message, packets, durable)) counts.dropped++;
    } catch (thrown) {
      // An exception during the delivery to one subscriber must not prevent the delivery to the others.
      counts.dropped++;
      noteException(log, 'the delivery of a message', thrown, { client: subscriber.clientId });
    }
  }
  return subscribers;
}

/**
 * Delivers a message to a session. Returns false if the message is dropped. A QoS 0 message is dropped if the
 * client is not connected or its output buffer is full (MQTT 5, 4.3.1).
 */
function deliverTo(
  counts: BrokerCounts,
  session: Session,
  options: DeliveryOptions,
  message: Message,
  packets: SharedPackets | undefined,
  durable: Durable,
): boolean {
  const qos = lowerQos(options.qos, message.qos);
  if (qos > 0) {
    if (session.persistent || session.delivery?.offer(message, options) !== true) durable.push(session.queue);
    return true;
  }
  const { connection } = session;
  if (connection === undefined) return false;
  const { aliases, maximumPacketSize, version } = connection;
  const acceptsShared = aliases === undefined && maximumPacketSize === Number.POSITIVE_INFINITY;
  const bytes = acceptsShared ? packets?.packetFor(version, options) : undefined;
  if (bytes !== undefined) return transmitBytes(counts, connection, bytes, 1);
  const { topic, ttl } = message;
  const sendOptions = { topic, qos, packetId: 0, dup: false, options, remaining: ttl };
  // A packet that is too large does not count as dropped here, because `transmit` has already counted it.
  return transmit(counts, connection, message, sendOptions) !== 'full';
}

/**
 * Delivers a message to one member of a shared group (MQTT 5, 4.8.2). Prefers a connected member. Returns
 * false if the message is dropped.
 */
function deliverToMember(
  counts: BrokerCounts,
  group: SharedGroup,
  message: Message,
  durable: Durable,
): boolean {
  const members = membersFrom(group, message.topic);
  const member = members.find(({ connection }) => connection !== undefined) ?? members[0];
  const options = member && memberOptions(group, member);
  if (member === undefined || options === undefined) return false;
  // A QoS 1 message is stored in the queue of the group. A QoS 2 message must not be sent to a second member
  // [MQTT-4.8.2-4]. Therefore a QoS 2 message is assigned to one member immediately.
  if (lowerQos(options.qos, message.qos) === 1) {
    durable.push(group.queue);
    return true;
  }
  group.nextMember++;
  return deliverTo(counts, member, options, message, undefined, durable);
}
