import { PUBCOMP } from '../../mqtt/acknowledgement.ts';
import { REASON } from '../../mqtt/reasons.ts';
import type { Connection } from '../connection/connection.ts';
import type { Session } from '../sessions/session.ts';

/**
 * Handles PUBREL. PUBCOMP follows when the release is on disk; otherwise a crash would make the next message
 * with this identifier look like a repetition [MQTT-4.3.3-11]. The same holds for an unknown identifier: an
 * earlier connection may have released it, and that may not be on disk yet.
 */
export function handlePubrel(connection: Connection, session: Session, packetId: number): undefined {
  const known = session.received.delete(packetId);
  const reasonCode = known ? REASON.success : REASON.packetIdentifierNotFound;
  if (!session.persistent) {
    connection.acknowledge(PUBCOMP, packetId, reasonCode);
    return;
  }
  connection.context.host.sessions.removeReceived(session.id, packetId, error => {
    if (error === undefined) connection.acknowledge(PUBCOMP, packetId, reasonCode);
    else connection.context.log.warn(`A PUBREL of "${session.clientId}" is not kept: ${error.message}`);
  });
}
