import { encodeUnsuback } from '../../mqtt/packets.ts';
import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';
import type { Unsubscribe } from '../../mqtt/requests/subscribe.ts';
import { plainFilter } from '../../mqtt/topics.ts';
import type { Connection } from '../connection/connection.ts';
import { attachInputs } from '../outbound/inputs.ts';
import type { Session } from '../sessions/session.ts';

/**
 * Handles UNSUBSCRIBE. If the session is persistent, UNSUBACK is sent when the change is on disk
 * [MQTT-3.10.4-4].
 */
export function handleUnsubscribe(
  connection: Connection,
  session: Session,
  { messageId, filters }: Unsubscribe,
): ProtocolError | undefined {
  const invalid = filters.find(filter => plainFilter(filter) === undefined);
  if (invalid !== undefined)
    return protocolError(REASON.topicFilterInvalid, `"${invalid.slice(0, 64)}" is not a topic filter`);
  const { sessions, log } = connection.context;
  const codes = filters.map(filter =>
    sessions.unsubscribe(session, filter) ? REASON.success : REASON.noSubscriptionExisted,
  );
  attachInputs(session, connection.context);
  sessions.save(session, error => {
    if (error !== undefined)
      log.warn(`Cannot store an unsubscription of client "${session.clientId}": ${error.message}`);
    connection.send(encodeUnsuback(connection.version, messageId, codes));
  });
  return undefined;
}
