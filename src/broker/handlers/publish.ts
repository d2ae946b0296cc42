import { Failure } from '../../core/errors.ts';
import type { Message, OnDurable } from '../../core/message.ts';
import { PUBACK, PUBREC } from '../../mqtt/acknowledgement.ts';
import type { Publish } from '../../mqtt/read-publish.ts';
import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';
import { isTopicName } from '../../mqtt/topics.ts';
import { MAX_CACHED_TOPIC_LENGTH } from '../../routes/limits.ts';
import type { Connection } from '../connection/connection.ts';
import { peerFields } from '../connection/peer-fields.ts';
import type { PendingAck, Publisher } from '../inbound/ack-queue.ts';
import { topicOf } from '../inbound/aliases.ts';
import { mayPublish, messageFrom, publish } from '../inbound/publication.ts';
import { MAX_PENDING_PUBLISHES } from '../limits.ts';
import { findRoute } from '../outbound/cached-route.ts';
import { createFastPath } from '../outbound/fast-path.ts';
import type { InboundQos2, Session } from '../sessions/session.ts';

/** Handles PUBLISH. The acknowledgement is sent when the message is durable (MQTT 5, 4.3). */
export function handlePublish(
  connection: Connection,
  session: Session,
  packet: Publish,
): ProtocolError | undefined {
  const { host, counts } = connection.context;
  const { qos, messageId } = packet;
  const topic = topicOf(connection, packet);
  if (typeof topic !== 'string') return topic;
  if (!isTopicName(topic))
    return protocolError(REASON.topicNameInvalid, `"${topic.slice(0, 64)}" is not a valid topic name`);
  // A PUBLISH with RETAIN is a protocol error if the broker does not offer retained messages [MQTT-3.2.2-14].
  if (packet.retain && !host.limits().retained)
    return protocolError(
      REASON.retainNotSupported,
      'the client published with RETAIN, but the manifest has "retained": false',
    );
  if (isBeyondReceiveMaximum(connection, session, packet))
    return protocolError(
      REASON.receiveMaximumExceeded,
      `the client sent more than ${MAX_PENDING_PUBLISHES} messages without waiting for acknowledgements`,
    );
  if (!mayPublish(host, connection.bridge, session.identity, session.clientId, topic))
    return refuse(connection, topic, packet);
  if (qos === 2) acceptQos2(connection, session, topic, packet);
  else {
    counts.received++;
    const message = messageFrom(session, topic, packet);
    if (qos === 1) acceptQos1(connection, session, message, messageId);
    else publish(host, session.holder, message, error => void (error === undefined || counts.dropped++));
    const isCacheable =
      packet.properties === undefined && !packet.retain && topic.length <= MAX_CACHED_TOPIC_LENGTH;
    if (isCacheable) cacheRoute(connection, message);
  }
  return undefined;
}

/**
 * True if the client exceeds the broker's Receive Maximum (MQTT 5, 4.9). Before MQTT 5, the limit applies
 * only to QoS 2 messages for which PUBREL has not arrived.
 */
function isBeyondReceiveMaximum(
  { version, acks }: Connection,
  { inboundQos2 }: Session,
  { qos, messageId }: Publish,
): boolean {
  if (qos === 0) return false;
  const known = qos === 2 && inboundQos2.has(messageId);
  if (version === 5 && !known && acks.pending() >= MAX_PENDING_PUBLISHES) return true;
  return qos === 2 && !known && inboundQos2.size >= MAX_PENDING_PUBLISHES;
}

/**
 * Refuses a PUBLISH that access rules deny. Before MQTT 5, closes the connection, because the protocol has no
 * negative acknowledgement. A positive acknowledgement would tell the client that the message is stored (MQTT
 * 3.1.1, 3.3.5-2).
 */
function refuse(
  connection: Connection,
  topic: string,
  { qos, messageId }: Publish,
): ProtocolError | undefined {
  const { acks, version, context } = connection;
  context.counts.refused++;
  if (version < 5) return protocolError(REASON.notAuthorized, `the client may not publish to "${topic}"`);
  context.log.warn(`Refused a message: the client may not publish to "${topic}".`, peerFields(connection));
  if (qos > 0) acks.complete(acks.reserve(qos === 1 ? PUBACK : PUBREC, messageId), REASON.notAuthorized);
  return undefined;
}

/** Accepts a QoS 1 message. Sends PUBACK when the message is durable (MQTT 5, 4.3.2). */
function acceptQos1(connection: Connection, session: Session, message: Message, packetId: number): void {
  const { host } = connection.context;
  const ack = connection.acks.reserve(PUBACK, packetId);
  let subscribers: number | undefined;
  // True if the message is durable before `publish` returns, for example because nothing has to be stored.
  let durableAtOnce = false;
  subscribers = publish(host, session.holder, message, error => {
    if (subscribers === undefined && error === undefined) durableAtOnce = true;
    else answer(connection, ack, REASON.success, error);
  });
  if (!durableAtOnce) return;
  answer(connection, ack, subscribers === 0 ? REASON.noMatchingSubscribers : REASON.success, undefined);
}

/**
 * Accepts a QoS 2 message (MQTT 5, 4.3.3). Stores the packet identifier atomically with the message.
 * Therefore a repetition of the message is detected even after a restart.
 */
function acceptQos2(connection: Connection, session: Session, topic: string, packet: Publish): void {
  const { host, counts } = connection.context;
  const { inboundQos2 } = session;
  const { messageId } = packet;
  const earlier = inboundQos2.get(messageId);
  if (earlier !== undefined) {
    acceptRepetition(connection, earlier, messageId);
    return;
  }
  const exchange = { publisher: connection, ack: connection.acks.reserve(PUBREC, messageId) };
  inboundQos2.set(messageId, exchange);
  counts.received++;
  const metadata = session.persistent ? host.sessions.receivedEntry(session.id, messageId) : undefined;
  const onDurable: OnDurable = error => {
    // The exchange has already ended if the client has sent PUBREL without waiting for PUBREC.
    if (inboundQos2.get(messageId) === exchange) {
      if (error === undefined) inboundQos2.set(messageId, 'durable');
      else inboundQos2.delete(messageId);
    }
    answer(exchange.publisher, exchange.ack, REASON.success, error);
  };
  publish(host, session.holder, messageFrom(session, topic, packet), onDurable, metadata);
}

/**
 * Accepts a repeated QoS 2 PUBLISH: PUBREL has not arrived yet for its packet identifier. Answers with
 * PUBREC, but does not publish the message again [MQTT-4.3.3-10].
 */
function acceptRepetition(connection: Connection, earlier: InboundQos2, packetId: number): void {
  // The first PUBLISH also arrived on this connection. Its PUBREC is sent when the message is durable.
  if (earlier !== 'durable' && earlier.publisher === connection) return;
  const ack = connection.acks.reserve(PUBREC, packetId);
  if (earlier === 'durable') {
    connection.acks.complete(ack, REASON.success);
    return;
  }
  // The client has reconnected before the message was durable. PUBREC is sent on the new connection.
  earlier.publisher = connection;
  earlier.ack = ack;
}

/**
 * Acknowledges a PUBLISH, or reports that the message could not be stored. An MQTT 5 client receives a reason
 * code. The connection of an older client is closed, because such a client sends the message again only after
 * a reconnect (MQTT 3.1.1, 4.4).
 */
function answer(connection: Publisher, ack: PendingAck, reasonCode: number, error: Error | undefined): void {
  const { acks, version } = connection;
  try {
    if (error === undefined) acks.complete(ack, reasonCode);
    else if (version === 5)
      acks.complete(ack, isFull(error) ? REASON.quotaExceeded : REASON.implementationSpecificError);
    else {
      acks.cancel(ack);
      connection.close(
        protocolError(REASON.quotaExceeded, `the message cannot be stored: ${sentenceOf(error)}`),
      );
    }
  } catch (thrown) {
    connection.fail(thrown);
  }
}

function isFull(error: Error): boolean {
  return error instanceof Failure && error.code === 'store.full';
}

/** Returns the text of an error without its final period, because the log adds one. */
function sentenceOf({ message }: Error): string {
  return message.replace(/\.$/, '');
}

/**
 * Caches the route of a message for the fast path. Later messages with the same topic and QoS skip the checks
 * in `handlePublish`, because the checks would have the same result.
 */
function cacheRoute(connection: Connection, message: Message): void {
  connection.fastPath ??= createFastPath(connection.context);
  const { fastPath } = connection;
  if (!fastPath.isCached(message.topic, message.qos))
    fastPath.cache(findRoute(connection.context, connection.version, message));
}
