import { NO_VALUES, readProperties } from '../properties.ts';
import type { PacketReader } from '../reader.ts';
import { readByte, setError } from '../reader.ts';
import { REASON } from '../reasons.ts';
import type { Version } from '../version.ts';

/** DISCONNECT packet (MQTT 5, 3.14). */
export type Disconnect = {
  readonly cmd: 'disconnect';
  readonly reasonCode: number;
  /** Session expiry interval in seconds. Undefined if the value of CONNECT applies. */
  readonly sessionExpiry: number | undefined;
};

/** AUTH packet (MQTT 5, 3.15). */
export type Auth = { readonly cmd: 'auth'; readonly reasonCode: number };

/** Reason codes of DISCONNECT that a client is allowed to send (3.14.2.1). */
const BY_CLIENT: readonly number[] = [
  REASON.success,
  REASON.disconnectWithWill,
  REASON.unspecifiedError,
  REASON.malformedPacket,
  REASON.protocolError,
  REASON.implementationSpecificError,
  REASON.topicNameInvalid,
  REASON.receiveMaximumExceeded,
  REASON.topicAliasInvalid,
  REASON.packetTooLarge,
  REASON.messageRateTooHigh,
  REASON.quotaExceeded,
  REASON.administrativeAction,
  REASON.payloadFormatInvalid,
];

/** Reason codes of AUTH that a client is allowed to send (3.15.2.1). */
const AUTHENTICATING: readonly number[] = [REASON.continueAuthentication, REASON.reAuthenticate];

/** Parses the bytes of DISCONNECT after the fixed header. Records errors in `reader.error`. */
export function readDisconnect(reader: PacketReader, version: Version): Disconnect {
  if (version < 5 || reader.at === reader.end)
    return { cmd: 'disconnect', reasonCode: REASON.success, sessionExpiry: undefined };
  const reasonCode = readByte(reader);
  if (!BY_CLIENT.includes(reasonCode))
    setError(reader, REASON.protocolError, `DISCONNECT has the invalid reason code ${reasonCode}`);
  const { numbers } = reader.at < reader.end ? readProperties(reader, 'disconnect') : NO_VALUES;
  return { cmd: 'disconnect', reasonCode, sessionExpiry: numbers.sessionExpiry };
}

/** Parses the bytes of AUTH after the fixed header. Records errors in `reader.error`. */
export function readAuth(reader: PacketReader, version: Version): Auth {
  if (version < 5) setError(reader, REASON.malformedPacket, 'it sent AUTH, which only MQTT 5 has');
  const reasonCode = reader.at === reader.end ? REASON.success : readByte(reader);
  if (!AUTHENTICATING.includes(reasonCode))
    setError(reader, REASON.protocolError, `AUTH has the invalid reason code ${reasonCode}`);
  const { texts } = reader.at < reader.end ? readProperties(reader, 'auth') : NO_VALUES;
  if (texts.authenticationMethod === undefined)
    setError(reader, REASON.protocolError, 'AUTH has no authentication method');
  return { cmd: 'auth', reasonCode };
}
