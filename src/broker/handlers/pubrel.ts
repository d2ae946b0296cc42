import { PUBCOMP } from '../../mqtt/acknowledgement.ts';
import { REASON } from '../../mqtt/reasons.ts';
import type { Connection } from '../connection.ts';
import type { Session } from '../sessions/session.ts';

/**
 * The sender knows that its QoS 2 message is here, and may use the identifier again: before it hears so, that is on
 * disk, or a crash would take its next message for this one [MQTT-4.3.3-11]. So it is for an identifier that is not
 * known: PUBREL may have come before, on a connection that is gone, and what it did may not be on disk yet.
 */
export function handlePubrel(connection: Connection, session: Session, packetId: number): undefined {
  const known = session.received.delete(packetId);
  const reasonCode = known ? REASON.success : REASON.packetIdentifierNotFound;
  if (!session.persistent) {
    connection.acknowledge(PUBCOMP, packetId, reasonCode);
    return;
  }
  connection.context.host.sessions.forgetReceived(session.id, packetId, error => {
    if (error === undefined) connection.acknowledge(PUBCOMP, packetId, reasonCode);
    else connection.context.log.warn(`A PUBREL of "${session.clientId}" is not kept: ${error.message}`);
  });
}
