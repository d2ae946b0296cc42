import { NO_VALUES, readProperties } from '../properties.ts';
import type { PacketReader } from '../reader.ts';
import { readByte, setError } from '../reader.ts';
import { REASON } from '../reasons.ts';
import type { Version } from '../version.ts';

/** CONNACK (MQTT 5, 3.2): accepts or refuses the client, and states the server's limits. */
export type Connack = {
  readonly cmd: 'connack';
  readonly sessionPresent: boolean;
  /** MQTT 5's, whatever the version. */
  readonly reasonCode: number;
  readonly reasonString: string | undefined;
  /** Maximum number of unacknowledged messages at QoS 1 and 2 (Receive Maximum). */
  readonly receiveMaximum: number;
  readonly maximumQoS: 0 | 1 | 2;
  readonly retainAvailable: boolean;
  /** Maximum bytes of a packet. Undefined if there is no limit. */
  readonly maximumPacketSize: number | undefined;
  /** Seconds. Undefined if the client's keep-alive applies. */
  readonly serverKeepAlive: number | undefined;
};

const SESSION_PRESENT = 0x01;

/** Reason codes for the return codes of MQTT 3.1.1, from 1 on (3.2.2.3). */
const REFUSALS: readonly number[] = [
  REASON.success,
  REASON.unsupportedProtocolVersion,
  REASON.clientIdentifierNotValid,
  REASON.serverUnavailable,
  REASON.badUserNameOrPassword,
  REASON.notAuthorized,
];

/** Reads what follows the fixed header; what is wrong is the reader's fault. */
export function readConnack(reader: PacketReader, version: Version): Connack {
  const flags = readByte(reader);
  const code = readByte(reader);
  if (flags > SESSION_PRESENT)
    setError(reader, REASON.malformedPacket, 'its CONNACK has a reserved flag set');
  // A server that does not know MQTT 5 answers in the form of 3.1.1, in which there are no properties.
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
