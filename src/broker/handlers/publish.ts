import { Failure } from '../../core/errors.ts';
import { MAX_UNSETTLED } from '../../core/limits.ts';
import type { Message, Settle } from '../../core/message.ts';
import { PUBACK, PUBREC } from '../../mqtt/acknowledgement.ts';
import type { Publish } from '../../mqtt/publish.ts';
import type { Fault } from '../../mqtt/reasons.ts';
import { fault, REASON } from '../../mqtt/reasons.ts';
import { isTopicName } from '../../mqtt/topics.ts';
import type { Connection } from '../connection.ts';
import { topicOf } from '../inbound/aliases.ts';
import { messageFrom, publish } from '../inbound/publication.ts';
import type { Receipt } from '../inbound/receipts.ts';
import { createExpress } from '../outbound/express.ts';
import { findWay } from '../outbound/ways.ts';
import type { Session } from '../sessions/session.ts';

/** Takes in a message; the acknowledgement follows when it is safe (MQTT 5, 4.3). */
export function handlePublish(connection: Connection, session: Session, packet: Publish): Fault | undefined {
  const { host, counts } = connection.context;
  const { qos, messageId } = packet;
  const topic = topicOf(connection, packet);
  if (typeof topic !== 'string') return topic;
  if (!isTopicName(topic))
    return fault(REASON.topicNameInvalid, `"${topic.slice(0, 64)}" is not a topic to publish on`);
  if (isBeyondReceiveMaximum(connection, session, packet))
    return fault(REASON.receiveMaximumExceeded, `it sent more than ${MAX_UNSETTLED} messages at once`);
  if (!host.mayPublish(session.identity, session.clientId, topic)) return refuse(connection, topic, packet);
  if (qos === 2) receive(connection, session, topic, packet);
  else {
    counts.received++;
    const message = messageFrom(session, topic, packet);
    if (qos === 1) takeIn(connection, message, messageId);
    else publish(connection.context, message, error => void (error === undefined || counts.dropped++));
    const mayFollow = packet.properties === undefined && !packet.retain;
    if (mayFollow) remember(connection, message);
  }
  return undefined;
}

/** What follows on the same topic may go by express: nothing is asked of it that was not asked of this. */
function remember(connection: Connection, message: Message): void {
  connection.express ??= createExpress(connection.context);
  const { express } = connection;
  if (!express.knows(message.topic, message.qos)) express.remember(findWay(connection, message));
}

/** QoS 1 (MQTT 5, 4.3.2). */
function takeIn(connection: Connection, message: Message, packetId: number): void {
  const receipt = connection.receipts.owe(PUBACK, packetId);
  let takers: number | undefined;
  let early = false;
  takers = publish(connection.context, message, error => {
    if (takers === undefined && error === undefined) early = true;
    else answer(connection, receipt, REASON.success, error);
  });
  if (!early) return;
  answer(connection, receipt, takers === 0 ? REASON.noMatchingSubscribers : REASON.success, undefined);
}

/** QoS 2: the identifier is kept with the message, so that it is taken in once however often it comes [MQTT-4.3.3-10]. */
function receive(connection: Connection, session: Session, topic: string, packet: Publish): void {
  const { host, counts } = connection.context;
  const { received } = session;
  const { messageId } = packet;
  const receipt = connection.receipts.owe(PUBREC, messageId);
  const settled: Settle = error => answer(connection, receipt, REASON.success, error);
  if (received.has(messageId)) {
    const earlier = received.get(messageId);
    if (earlier === undefined) settled();
    else {
      received.set(messageId, error => {
        earlier(error);
        settled(error);
      });
    }
    return;
  }
  counts.received++;
  received.set(messageId, settled);
  const note = session.persistent ? host.sessions.noteReceived(session.id, messageId) : undefined;
  const safe: Settle = error => {
    const waiting = received.get(messageId);
    if (error === undefined) received.set(messageId, undefined);
    else received.delete(messageId);
    waiting?.(error);
  };
  publish(connection.context, messageFrom(session, topic, packet), safe, note);
}

/** What could not be kept is not acknowledged; MQTT 5 has a word for it, before it the client tries again. */
function answer(
  { receipts, version }: Connection,
  receipt: Receipt,
  reasonCode: number,
  error: Error | undefined,
): void {
  if (error === undefined) receipts.pay(receipt, reasonCode);
  else if (version < 5) receipts.cancel(receipt);
  else receipts.pay(receipt, isFull(error) ? REASON.quotaExceeded : REASON.implementationSpecificError);
}

function isFull(error: Error): boolean {
  return error instanceof Failure && error.code === 'store.full';
}

/** More than it was told is on its way and not settled (MQTT 5, 4.9). */
function isBeyondReceiveMaximum(
  { version, receipts }: Connection,
  { received }: Session,
  { qos, messageId }: Publish,
): boolean {
  if (version < 5 || qos === 0 || received.has(messageId)) return false;
  return receipts.owed() >= MAX_UNSETTLED || received.size >= MAX_UNSETTLED;
}

/** MQTT 3.1.1, 3.3.5-2 offers an acknowledgement or the end; the first would promise what is not kept. */
function refuse(connection: Connection, topic: string, { qos, messageId }: Publish): Fault | undefined {
  const { receipts, version, context } = connection;
  context.counts.refused++;
  if (version < 5) return fault(REASON.notAuthorized, `it may not publish on "${topic}"`);
  if (qos > 0) receipts.pay(receipts.owe(qos === 1 ? PUBACK : PUBREC, messageId), REASON.notAuthorized);
  return undefined;
}
