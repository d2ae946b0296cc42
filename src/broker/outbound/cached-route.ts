import type { Message } from '../../core/message.ts';
import type { Version } from '../../mqtt/version.ts';
import type { BrokerContext } from '../context.ts';
import { isOwn } from '../inbound/publication.ts';
import { MAX_ROUTE_RECEIVERS } from '../limits.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions, Subscriber } from '../sessions/sessions.ts';
import type { SubscriberOptions } from '../sessions/subscriptions.ts';
import type { CachedRoute } from './fast-path.ts';

/**
 * Returns the route of a message for the fast path. The route contains the receivers of further messages that
 * the publisher sends with the same topic and QoS.
 */
export function findRoute(
  { host, sessions }: Pick<BrokerContext, 'host' | 'sessions'>,
  version: Version,
  message: Message,
): CachedRoute {
  const { topic, retain } = message;
  const qos = message.qos === 0 ? 0 : 1;
  const count = retain ? undefined : host.fastPathCounter(message.origin, topic);
  return {
    topic,
    topicBytes: Buffer.from(topic),
    qos,
    receivers: count && receiversOf(sessions, version, message, qos),
    version: sessions.subscriptions.version(),
    count: count ?? (() => {}),
  };
}

/**
 * Returns the sessions to which the bytes of the publisher's packets can be forwarded unchanged. Undefined if
 * a subscriber needs a different packet, or if there are too many subscribers.
 */
function receiversOf(
  { subscriptions }: Sessions,
  version: Version,
  message: Message,
  qos: 0 | 1,
): Session[] | undefined {
  const { all } = subscriptions.match(message.topic);
  if (all.length > MAX_ROUTE_RECEIVERS) return undefined;
  const receivers: Session[] = [];
  for (const { subscriber, options } of all) {
    if (subscriber.kind === 'session' && isOwn(subscriber, message) && options.own === undefined) continue;
    if (!acceptsSameBytes(version, subscriber, options, qos)) return undefined;
    receivers.push(subscriber);
  }
  return receivers;
}

/**
 * True if the publisher's packet can be sent to the subscriber without changes except the packet identifier.
 */
function acceptsSameBytes(
  sender: Version,
  subscriber: Subscriber,
  { qos: granted, ids }: SubscriberOptions,
  qos: 0 | 1,
): subscriber is Session {
  if (subscriber.kind === 'group' || ids.length > 0) return false;
  // The fast path can neither lower the QoS nor store a message for a persistent session.
  if (qos === 1 && (granted === 0 || subscriber.persistent)) return false;
  const { connection } = subscriber;
  if (connection === undefined) return qos === 0;
  const sameFormat = (connection.version === 5) === (sender === 5);
  return sameFormat && connection.aliases === undefined && connection.maximumPacketSize === Infinity;
}
