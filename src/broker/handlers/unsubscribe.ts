import { encodeUnsuback } from '../../mqtt/packets.ts';
import { REASON } from '../../mqtt/reasons.ts';
import type { Unsubscribe } from '../../mqtt/requests/subscribe.ts';
import type { Connection } from '../connection.ts';
import { attachInputs } from '../outbound/inputs.ts';
import type { Session } from '../sessions/session.ts';

/** Takes subscriptions away; UNSUBACK follows when a persistent session has that on disk [MQTT-3.10.4-4]. */
export function handleUnsubscribe(
  connection: Connection,
  session: Session,
  { messageId, filters }: Unsubscribe,
): undefined {
  const { sessions, log } = connection.context;
  const codes = filters.map(filter =>
    sessions.unsubscribe(session, filter) ? REASON.success : REASON.noSubscriptionExisted,
  );
  attachInputs(session, connection.context);
  sessions.save(session, error => {
    if (error !== undefined)
      log.warn(`An unsubscription of "${session.clientId}" is not kept: ${error.message}`);
    connection.send(encodeUnsuback(connection.version, messageId, codes));
  });
}
