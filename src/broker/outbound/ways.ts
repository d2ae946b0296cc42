import type { Message } from '../../core/message.ts';
import type { Connection } from '../connection.ts';
import { isOwn } from '../inbound/publication.ts';
import type { Session } from '../sessions/session.ts';
import type { Subscriber } from '../sessions/sessions.ts';
import type { Grant } from '../sessions/subscriptions.ts';
import type { Way } from './express.ts';

/** The way that messages like this one can go by express; undefined: each must be read. */
export function findWay(connection: Connection, message: Message): Way | undefined {
  const { host, sessions } = connection.context;
  const { topic, qos } = message;
  if (qos === 2 || message.retain) return undefined;
  const count = host.passing(message.origin, topic);
  if (count === undefined) return undefined;
  const { subscriptions } = sessions;
  const receivers: Session[] = [];
  for (const [subscriber, grant] of subscriptions.match(topic)) {
    if (subscriber.kind === 'session' && isOwn(subscriber, message) && grant.own === undefined) continue;
    if (!takesBytes(connection, subscriber, grant, qos)) return undefined;
    receivers.push(subscriber);
  }
  return { topic: Buffer.from(topic), qos, receivers, version: subscriptions.version(), count };
}

/** True if a subscriber gets the very bytes that the sender sends. */
function takesBytes(
  sender: Connection,
  subscriber: Subscriber,
  { qos: granted, ids }: Grant,
  qos: 0 | 1,
): subscriber is Session {
  if (subscriber.kind === 'group' || ids.length > 0) return false;
  // At QoS 1 a persistent session is owed the message, whatever becomes of its connection.
  if (qos === 1 && (granted === 0 || subscriber.persistent)) return false;
  const { connection } = subscriber;
  if (connection === undefined) return qos === 0;
  const sameForm = (connection.version === 5) === (sender.version === 5);
  return sameForm && connection.aliases === undefined && connection.maximumPacketSize === Infinity;
}
