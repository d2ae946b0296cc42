import type { UnsubscribePacket } from '../../mqtt/packets.ts';
import type { Connection } from '../connection.ts';
import { attachInputs } from '../inputs.ts';
import type { Session } from '../session.ts';
import type { Fault } from './index.ts';

/** Takes subscriptions away; UNSUBACK follows when a persistent session has that on disk (MQTT 3.1.1, 3.10.4). */
export function handleUnsubscribe(
  connection: Connection,
  session: Session,
  packet: UnsubscribePacket,
): Fault {
  const { sessions, log } = connection.context;
  const messageId = packet.messageId ?? 0;
  if (messageId === 0) return 'its UNSUBSCRIBE has no packet identifier';
  // MQTT 3.1.1, 3.10.3-2.
  if (packet.unsubscriptions.length === 0) return 'its UNSUBSCRIBE has no topic filter';
  for (const filter of packet.unsubscriptions) sessions.unsubscribe(session, filter);
  attachInputs(connection, session);
  sessions.save(session, error => {
    if (error !== undefined)
      log.warn(`An unsubscription of "${session.clientId}" is not kept: ${error.message}`);
    connection.send({ cmd: 'unsuback', messageId, granted: [] });
  });
  return undefined;
}
