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
import type { Session } from '../sessions/session.ts';

/** Handles PUBLISH. The acknowledgement follows when the message is durable (MQTT 5, 4.3). */
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
    return protocolError(REASON.topicNameInvalid, `"${topic.slice(0, 64)}" is not a topic to publish on`);
  // [MQTT-3.2.2-14]
  if (packet.retain && !host.limits().retained)
    return protocolError(REASON.retainNotSupported, 'it published with RETAIN, and "retained" is false');
  if (isBeyondReceiveMaximum(connection, session, packet))
    return protocolError(
      REASON.receiveMaximumExceeded,
      `it sent more than ${MAX_PENDING_PUBLISHES} messages at once`,
    );
  if (!mayPublish(host, connection.bridge, session.identity, session.clientId, topic))
    return refuse(connection, topic, packet);
  if (qos === 2) receive(connection, session, topic, packet);
  else {
    counts.received++;
    const message = messageFrom(session, topic, packet);
    if (qos === 1) takeIn(connection, session, message, messageId);
    else publish(host, session.holder, message, error => void (error === undefined || counts.dropped++));
    const mayFollow =
      packet.properties === undefined && !packet.retain && topic.length <= MAX_CACHED_TOPIC_LENGTH;
    if (mayFollow) remember(connection, message);
  }
  return undefined;
}

/**
 * Caches the route, so that the next message on the same topic can use the fast path. The checks of this
 * message hold for it, too.
 */
function remember(connection: Connection, message: Message): void {
  connection.fastPath ??= createFastPath(connection.context);
  const { fastPath } = connection;
  if (!fastPath.isCached(message.topic, message.qos))
    fastPath.cache(findRoute(connection.context, connection.version, message));
}

/** Accepts a QoS 1 message (MQTT 5, 4.3.2). */
function takeIn(connection: Connection, session: Session, message: Message, packetId: number): void {
  const { host } = connection.context;
  const ack = connection.acks.reserve(PUBACK, packetId);
  let takers: number | undefined;
  let early = false;
  takers = publish(host, session.holder, message, error => {
    if (takers === undefined && error === undefined) early = true;
    else answer(connection, ack, REASON.success, error);
  });
  if (!early) return;
  answer(connection, ack, takers === 0 ? REASON.noMatchingSubscribers : REASON.success, undefined);
}

/**
 * Accepts a QoS 2 message. Its identifier is stored with it, so that a repetition is not accepted again
 * [MQTT-4.3.3-10].
 */
function receive(connection: Connection, session: Session, topic: string, packet: Publish): void {
  const { host, counts } = connection.context;
  const { received } = session;
  const { messageId } = packet;
  const earlier = received.get(messageId);
  // A repetition adds nothing: the first PUBLISH on this connection is acknowledged when the message is
  // durable.
  if (earlier !== undefined && earlier !== 'safe' && earlier.publisher === connection) return;
  const ack = connection.acks.reserve(PUBREC, messageId);
  if (earlier === 'safe') {
    connection.acks.complete(ack, REASON.success);
    return;
  }
  if (earlier !== undefined) {
    // The sender has reconnected before the message was durable.
    earlier.publisher = connection;
    earlier.ack = ack;
    return;
  }
  const sender = { publisher: connection, ack };
  received.set(messageId, sender);
  counts.received++;
  const note = session.persistent ? host.sessions.receivedEntry(session.id, messageId) : undefined;
  const settle: OnDurable = error => {
    // A client that does not wait for PUBREC may already have released the identifier.
    if (received.get(messageId) === sender) {
      if (error === undefined) received.set(messageId, 'safe');
      else received.delete(messageId);
    }
    answer(sender.publisher, sender.ack, REASON.success, error);
  };
  publish(host, session.holder, messageFrom(session, topic, packet), settle, note);
}

/**
 * Acknowledges a PUBLISH. A message that was not stored is not acknowledged: MQTT 5 has a reason code; before
 * MQTT 5 the connection is closed, because a client resends only after a reconnect (MQTT 3.1.1, 4.4).
 */
function answer(connection: Publisher, ack: PendingAck, reasonCode: number, error: Error | undefined): void {
  const { acks, version } = connection;
  try {
    if (error === undefined) acks.complete(ack, reasonCode);
    else if (version === 5)
      acks.complete(ack, isFull(error) ? REASON.quotaExceeded : REASON.implementationSpecificError);
    else {
      acks.cancel(ack);
      connection.close(protocolError(REASON.quotaExceeded, `its message was not kept: ${sentenceOf(error)}`));
    }
  } catch (thrown) {
    connection.fail(thrown);
  }
}

/** Error text without its final period, which the log adds. */
function sentenceOf({ message }: Error): string {
  return message.replace(/\.$/, '');
}

function isFull(error: Error): boolean {
  return error instanceof Failure && error.code === 'store.full';
}

/**
 * True if the client exceeds its Receive Maximum (MQTT 5, 4.9), or, in any version, as many unreleased QoS 2
 * identifiers.
 */
function isBeyondReceiveMaximum(
  { version, acks }: Connection,
  { received }: Session,
  { qos, messageId }: Publish,
): boolean {
  if (qos === 0) return false;
  const known = qos === 2 && received.has(messageId);
  if (version === 5 && !known && acks.pending() >= MAX_PENDING_PUBLISHES) return true;
  return qos === 2 && !known && received.size >= MAX_PENDING_PUBLISHES;
}

/**
 * Refuses a PUBLISH. MQTT 3.1.1, 3.3.5-2 permits an acknowledgement or a close; an acknowledgement would
 * promise durability.
 */
function refuse(
  connection: Connection,
  topic: string,
  { qos, messageId }: Publish,
): ProtocolError | undefined {
  const { acks, version, context } = connection;
  context.counts.refused++;
  if (version < 5) return protocolError(REASON.notAuthorized, `it may not publish on "${topic}"`);
  context.log.warn(`Refused a message: the client may not publish on "${topic}".`, peerFields(connection));
  if (qos > 0) acks.complete(acks.reserve(qos === 1 ? PUBACK : PUBREC, messageId), REASON.notAuthorized);
  return undefined;
}
