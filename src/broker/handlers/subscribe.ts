import { MAX_SUBSCRIPTIONS } from '../../core/limits.ts';
import type { QoS } from '../../core/message.ts';
import type { SubscribePacket } from '../../mqtt/packets.ts';
import { SUBACK_FAILURE } from '../../mqtt/packets.ts';
import { isTopicFilter } from '../../mqtt/topics.ts';
import type { Connection } from '../connection.ts';
import { attachInputs } from '../inputs.ts';
import type { Session } from '../session.ts';
import type { Fault } from './index.ts';

/** Adds subscriptions; SUBACK follows when a persistent session has them on disk (MQTT 3.1.1, 3.8.4). */
export function handleSubscribe(connection: Connection, session: Session, packet: SubscribePacket): Fault {
  const { host, sessions, log } = connection.context;
  const messageId = packet.messageId ?? 0;
  if (messageId === 0) return 'its SUBSCRIBE has no packet identifier';
  // MQTT 3.1.1, 3.8.3-3.
  if (packet.subscriptions.length === 0) return 'its SUBSCRIBE has no topic filter';
  const invalid = packet.subscriptions.find(({ topic }) => !isTopicFilter(topic));
  if (invalid !== undefined) return `"${invalid.topic.slice(0, 64)}" is not a topic filter`;
  const granted = packet.subscriptions.map(({ topic, qos }) => {
    const full = session.subscriptions.size >= MAX_SUBSCRIPTIONS && !session.subscriptions.has(topic);
    if (full || !host.maySubscribe(session.identity, session.clientId, topic)) return SUBACK_FAILURE;
    // A server may grant less than was asked for (MQTT 3.1.1, 3.8.4): QoS 2 becomes 1.
    const grant: QoS = qos === 0 ? 0 : 1;
    sessions.subscribe(session, topic, grant);
    return grant;
  });
  const refused = packet.subscriptions.filter((_, index) => granted[index] === SUBACK_FAILURE);
  const [first] = refused;
  if (first !== undefined) {
    const what = `${refused.length} of its subscriptions, the first to "${first.topic.slice(0, 64)}"`;
    log.warn(`Refused "${session.clientId}" ${what}.`);
  }
  sessions.save(session, error => {
    const codes = error === undefined ? granted : granted.map(() => SUBACK_FAILURE);
    connection.send({ cmd: 'suback', messageId, granted: codes });
    if (session.connection === connection) attachInputs(connection, session);
  });
  return undefined;
}
