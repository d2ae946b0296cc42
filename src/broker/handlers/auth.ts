import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';

/**
 * Handles AUTH. Always returns a protocol error, because no CONNECT with an Authentication Method is accepted
 * (MQTT 5, 4.12).
 */
export function handleAuth(): ProtocolError {
  return protocolError(
    REASON.protocolError,
    'the client sent AUTH, but CONNECT had no authentication method',
  );
}
