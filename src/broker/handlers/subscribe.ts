import { encodeSuback } from '../../mqtt/packets.ts';
import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';
import type { Subscribe, SubscriptionRequest } from '../../mqtt/requests/subscribe.ts';
import { isShared, plainFilter } from '../../mqtt/topics.ts';
import type { Connection } from '../connection/connection.ts';
import { peerFields } from '../connection/peer-fields.ts';
import { attachInputs } from '../outbound/inputs.ts';
import { createRetainedSender } from '../outbound/retained.ts';
import type { NewSubscription } from '../outbound/types.ts';
import type { Session } from '../sessions/session.ts';
import type { Subscription } from '../sessions/subscriptions.ts';

/**
 * Handles SUBSCRIBE. If the session is persistent, SUBACK is sent when the subscriptions are on disk
 * [MQTT-3.8.4-1].
 */
export function handleSubscribe(
  connection: Connection,
  session: Session,
  packet: Subscribe,
): ProtocolError | undefined {
  const { sessions, log, counts } = connection.context;
  const { messageId, subscriptionId, subscriptions } = packet;
  const invalid = subscriptions.find(({ topic }) => plainFilter(topic) === undefined);
  if (invalid !== undefined)
    return protocolError(REASON.topicFilterInvalid, `"${invalid.topic.slice(0, 64)}" is not a topic filter`);
  /** Reason codes of SUBACK. */
  const codes: number[] = [];
  /**
   * Subscriptions whose retained messages must be sent. The key is the filter, because a SUBSCRIBE can
   * contain a filter more than once.
   */
  const withRetained = new Map<string, NewSubscription>();
  let firstRefusal: ProtocolError | undefined;
  for (const requested of subscriptions) {
    const { topic, qos, retainHandling } = requested;
    const refusal = refusalOf(connection, session, topic);
    codes.push(refusal?.code ?? qos);
    if (refusal !== undefined) {
      firstRefusal ??= refusal;
      continue;
    }
    const isNew = !session.subscriptions.has(topic);
    sessions.subscribe(session, topic, subscriptionFrom(connection, requested, subscriptionId));
    // Retain Handling 0: always send retained messages. Retain Handling 1: only for a new subscription
    // [MQTT-3.3.1-9], [MQTT-3.3.1-10], [MQTT-3.3.1-11].
    if (retainHandling === 0 || (retainHandling === 1 && isNew))
      withRetained.set(topic, { filter: topic, qos, id: subscriptionId });
  }
  const refused = subscriptions.filter((_, index) => (codes[index] ?? 0) >= REASON.unspecifiedError);
  const [first] = refused;
  if (first !== undefined) {
    counts.refused += refused.length;
    const what = `${refused.length} subscriptions, the first to "${first.topic.slice(0, 64)}"`;
    log.warn(`Refused ${what}: ${firstRefusal?.reason}.`, peerFields(connection));
  }
  sessions.save(session, error => {
    const failed = codes.map(code => (code < REASON.unspecifiedError ? REASON.quotaExceeded : code));
    connection.send(encodeSuback(connection.version, messageId, error === undefined ? codes : failed));
    if (session.connection !== connection) return;
    attachInputs(session, connection.context);
    if (withRetained.size === 0) return;
    connection.retained ??= createRetainedSender(connection.context, connection, session);
    connection.retained.add(Array.from(withRetained.values()));
  });
  return undefined;
}

/** Creates the subscription for one filter of a SUBSCRIBE. */
function subscriptionFrom(
  { bridge, version }: Connection,
  { topic, qos, noLocal, retainAsPublished }: SubscriptionRequest,
  id: number | undefined,
): Subscription {
  // A bridge needs No Local and Retain As Published, which SUBSCRIBE cannot request before MQTT 5.
  const bridged = bridge && version < 5;
  return {
    qos,
    noLocal: noLocal || (bridged && !isShared(topic)),
    retainAsPublished: retainAsPublished || bridged,
    id,
  };
}

/**
 * Returns the protocol error of a subscription that is refused. Undefined if the subscription is accepted.
 */
function refusalOf({ context }: Connection, session: Session, topic: string): ProtocolError | undefined {
  const filter = plainFilter(topic) ?? topic;
  if (!context.host.maySubscribe(session.identity, session.clientId, filter))
    return protocolError(REASON.notAuthorized, 'the client may not subscribe to this filter');
  const full = context.sessions.subscriptionRefusal(session, topic);
  return full === undefined ? undefined : protocolError(REASON.quotaExceeded, full);
}
