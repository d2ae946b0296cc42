import type { Message } from '../../core/message.ts';
import type { Publish } from '../../mqtt/publish.ts';
import { isTopicName } from '../../mqtt/topics.ts';
import type { Connection } from '../connection.ts';
import { messageFrom } from '../inbound.ts';
import type { Session } from '../session.ts';
import type { Fault } from './index.ts';

/** Takes in a message; at QoS 1 the acknowledgement follows when it is safe (MQTT 3.1.1, 4.3.2). */
export function handlePublish(connection: Connection, session: Session, packet: Publish): Fault {
  const { host, counts } = connection.context;
  const { topic, qos } = packet;
  if (!isTopicName(topic)) return `"${topic.slice(0, 64)}" is not a topic to publish on`;
  if (qos === 2) return 'it published at QoS 2, which this broker does not take';
  if (!host.mayPublish(session.identity, session.clientId, topic)) {
    counts.refused++;
    // MQTT 3.1.1, 3.3.5-2 offers an acknowledgement or the end; ours would promise what is not kept.
    return `it may not publish on "${topic}"`;
  }
  counts.received++;
  const message = messageFrom(session, packet);
  if (qos === 0) {
    host.publish(message, error => {
      if (error !== undefined) counts.dropped++;
    });
    if (!packet.retain) findWay(connection, message);
    return undefined;
  }
  host.publish(message, connection.receipts.owe(packet.messageId));
  return undefined;
}

/** What follows on the same topic may go by express: nothing is asked of it that was not asked of this. */
function findWay(connection: Connection, { origin, topic }: Message): void {
  const { host, sessions } = connection.context;
  const count = host.passing(origin, topic);
  if (count === undefined) return;
  const { subscriptions } = sessions;
  const receivers = Array.from(subscriptions.match(topic).keys());
  connection.express.remember({
    topic: Buffer.from(topic),
    receivers,
    version: subscriptions.version(),
    count,
  });
}
