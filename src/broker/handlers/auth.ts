import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';

/** Handles AUTH, which is a protocol error without extended authentication in CONNECT (MQTT 5, 4.12). */
export function handleAuth(): ProtocolError {
  return protocolError(REASON.protocolError, 'it sent AUTH, and gave no authentication method');
}
