import type { PublishPacket } from '../../mqtt/packets.ts';
import { isTopicName } from '../../mqtt/topics.ts';
import { mayPublish } from '../access.ts';
import type { Connection } from '../connection.ts';
import { messageFrom } from '../inbound.ts';
import type { Session } from '../session.ts';
import type { Fault } from './index.ts';

/** Takes in a message; at QoS 1 the acknowledgement follows when it is safe (MQTT 3.1.1, 4.3.2). */
export function handlePublish(connection: Connection, session: Session, packet: PublishPacket): Fault {
  const { host, counts } = connection.context;
  const { topic, qos } = packet;
  if (!isTopicName(topic)) return `"${topic.slice(0, 64)}" is not a topic to publish on`;
  if (qos === 2) return 'it published at QoS 2, which this broker does not take';
  if (!mayPublish(session.identity, topic)) {
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
    return undefined;
  }
  const packetId = packet.messageId ?? 0;
  if (packetId === 0) return 'its PUBLISH has no packet identifier';
  host.publish(message, connection.receipts.owe(packetId));
  return undefined;
}
