import { NO_VALUES, readProperties } from '../properties.ts';
import type { PacketReader } from '../reader.ts';
import { readByte, setError } from '../reader.ts';
import { REASON } from '../reasons.ts';
import type { Version } from '../version.ts';

/** CONNACK packet (MQTT 5, 3.2): accepts or refuses the client, and states the limits of the server. */
export type Connack = {
  readonly cmd: 'connack';
  readonly sessionPresent: boolean;
  /** Reason code of MQTT 5. Return codes of earlier versions are converted. */
  readonly reasonCode: number;
  readonly reasonString: string | undefined;
  /** Maximum number of unacknowledged messages at QoS 1 and 2 (Receive Maximum). */
  readonly receiveMaximum: number;
  readonly maximumQoS: 0 | 1 | 2;
  readonly retainAvailable: boolean;
  /** Maximum bytes of a packet. Undefined if there is no limit. */
  readonly maximumPacketSize: number | undefined;
  /** Keep-alive in seconds that the server requires. Undefined if the keep-alive of the client applies. */
  readonly serverKeepAlive: number | undefined;
};

const SESSION_PRESENT = 0x01;

/** Reason codes of MQTT 5. The index is the return code of MQTT 3.1.1 (3.2.2.3). */
const REFUSALS: readonly number[] = [
  REASON.success,
  REASON.unsupportedProtocolVersion,
  REASON.clientIdentifierNotValid,
  REASON.serverUnavailable,
  REASON.badUserNameOrPassword,
  REASON.notAuthorized,
];

/** Parses the bytes of CONNACK after the fixed header. Records errors in `reader.error`. */
export function readConnack(reader: PacketReader, version: Version): Connack {
  const flags = readByte(reader);
  const code = readByte(reader);
  if (flags > SESSION_PRESENT) setError(reader, REASON.malformedPacket, 'CONNACK has a reserved flag set');
  // A server without MQTT 5 answers with a CONNACK of MQTT 3.1.1, which has no properties.
  const isOld = version < 5 || (reader.at === reader.end && code < REASON.unspecifiedError);
  const { numbers, texts } = isOld ? NO_VALUES : readProperties(reader, 'connack');
  return {
    cmd: 'connack',
    sessionPresent: flags === SESSION_PRESENT,
    reasonCode: isOld ? (REFUSALS[code] ?? REASON.unspecifiedError) : code,
    reasonString: texts.reasonString,
    receiveMaximum: numbers.receiveMaximum ?? 0xffff,
    maximumQoS: numbers.maximumQoS === 0 ? 0 : numbers.maximumQoS === 1 ? 1 : 2,
    retainAvailable: numbers.retainAvailable !== 0,
    maximumPacketSize: numbers.maximumPacketSize,
    serverKeepAlive: numbers.serverKeepAlive,
  };
}
