import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';
import type { Disconnect } from '../../mqtt/requests/end.ts';
import type { Connection } from '../connection/connection.ts';
import type { Session } from '../sessions/session.ts';
import { expiryOf } from '../sessions/session.ts';

/** Handles DISCONNECT: the will is not published unless the client requests it [MQTT-3.14.4-3]. */
export function handleDisconnect(
  connection: Connection,
  session: Session,
  { reasonCode, sessionExpiry }: Disconnect,
): ProtocolError | undefined {
  if (sessionExpiry !== undefined) {
    // MQTT 5, 3.14.2.2.2: a session with expiry 0 cannot be extended.
    if (session.expiry === 0 && sessionExpiry > 0)
      return protocolError(REASON.protocolError, 'its DISCONNECT makes a session last that was to end');
    session.expiry = expiryOf(sessionExpiry);
  }
  if (reasonCode !== REASON.disconnectWithWill) connection.will = undefined;
  connection.close(undefined);
  return undefined;
}
