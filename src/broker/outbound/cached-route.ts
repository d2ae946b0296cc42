import type { Message } from '../../core/message.ts';
import type { Version } from '../../mqtt/version.ts';
import type { BrokerContext } from '../context.ts';
import { isOwn } from '../inbound/publication.ts';
import { MAX_ROUTE_RECEIVERS } from '../limits.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions, Subscriber } from '../sessions/sessions.ts';
import type { DeliveryOptions } from '../sessions/subscriptions.ts';
import type { CachedRoute } from './fast-path.ts';

/** Route for the fast path of messages like this one; it may have no receivers. */
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

/** Receivers of the unchanged bytes. Undefined if a receiver needs another packet. */
function receiversOf(
  { subscriptions }: Sessions,
  version: Version,
  message: Message,
  qos: 0 | 1,
): Session[] | undefined {
  const { all } = subscriptions.match(message.topic);
  if (all.length > MAX_ROUTE_RECEIVERS) return undefined;
  const receivers: Session[] = [];
  for (const { subscriber, grant } of all) {
    if (subscriber.kind === 'session' && isOwn(subscriber, message) && grant.own === undefined) continue;
    if (!takesBytes(version, subscriber, grant, qos)) return undefined;
    receivers.push(subscriber);
  }
  return receivers;
}

/** True if a subscriber receives exactly the sender's bytes. */
function takesBytes(
  sender: Version,
  subscriber: Subscriber,
  { qos: granted, ids }: DeliveryOptions,
  qos: 0 | 1,
): subscriber is Session {
  if (subscriber.kind === 'group' || ids.length > 0) return false;
  // At QoS 1 a persistent session must get the message even if its connection ends.
  if (qos === 1 && (granted === 0 || subscriber.persistent)) return false;
  const { connection } = subscriber;
  if (connection === undefined) return qos === 0;
  const sameForm = (connection.version === 5) === (sender === 5);
  return sameForm && connection.aliases === undefined && connection.maximumPacketSize === Infinity;
}
