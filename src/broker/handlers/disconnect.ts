import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';
import type { Disconnect } from '../../mqtt/requests/end.ts';
import type { Connection } from '../connection/connection.ts';
import type { Session } from '../sessions/session.ts';
import { expiryOf } from '../sessions/session.ts';

/**
 * Handles DISCONNECT. Discards the will, unless the client requests the publication of the will
 * [MQTT-3.14.4-3].
 */
export function handleDisconnect(
  connection: Connection,
  session: Session,
  { reasonCode, sessionExpiry }: Disconnect,
): ProtocolError | undefined {
  if (sessionExpiry !== undefined) {
    // A Session Expiry Interval of 0 in CONNECT cannot be increased (MQTT 5, 3.14.2.2.2).
    if (session.expiry === 0 && sessionExpiry > 0)
      return protocolError(REASON.protocolError, 'DISCONNECT has a session expiry, but CONNECT had none');
    session.expiry = expiryOf(sessionExpiry);
  }
  if (reasonCode !== REASON.disconnectWithWill) connection.will = undefined;
  connection.close(undefined);
  return undefined;
}
