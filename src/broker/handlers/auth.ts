import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';

/** There is no authentication beyond CONNECT here, so there is none to go on with (MQTT 5, 4.12). */
export function handleAuth(): ProtocolError {
  return protocolError(REASON.protocolError, 'it sent AUTH, and gave no authentication method');
}
