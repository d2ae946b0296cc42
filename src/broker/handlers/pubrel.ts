import { PUBCOMP } from '../../mqtt/acknowledgement.ts';
import { REASON } from '../../mqtt/reasons.ts';
import type { Connection } from '../connection/connection.ts';
import type { Session } from '../sessions/session.ts';

/**
 * Handles PUBREL. Removes the packet identifier from the store, and sends PUBCOMP when the removal is on
 * disk. If PUBCOMP were sent earlier, a crash could restore the packet identifier. The next message with this
 * identifier would then be treated as a repetition [MQTT-4.3.3-11]. An unknown packet identifier is also
 * removed from the store, because an earlier removal is possibly not on disk yet.
 */
export function handlePubrel(connection: Connection, session: Session, packetId: number): undefined {
  const known = session.inboundQos2.delete(packetId);
  const reasonCode = known ? REASON.success : REASON.packetIdentifierNotFound;
  if (!session.persistent) {
    connection.acknowledge(PUBCOMP, packetId, reasonCode);
    return;
  }
  connection.context.host.sessions.removeReceived(session.id, packetId, error => {
    if (error === undefined) connection.acknowledge(PUBCOMP, packetId, reasonCode);
    else
      connection.context.log.warn(
        `Cannot store the PUBREL of client "${session.clientId}": ${error.message}`,
      );
  });
}
