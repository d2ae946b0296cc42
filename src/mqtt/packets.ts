import type { Packet } from 'mqtt-packet';
import { generate, writeToStream } from 'mqtt-packet';
import { REASON } from './reasons.ts';
import type { Version } from './version.ts';

export type { Packet };

// Without this setting, mqtt-packet allocates a buffer for each of 65,536 numbers at the first packet, 12 MB
// in total.
writeToStream.cacheNumbers = false;

/** Return codes of CONNACK (MQTT 3.1.1, 3.2.2.3). */
export const CONNACK = {
  accepted: 0,
  unacceptableVersion: 1,
  identifierRejected: 2,
  serverUnavailable: 3,
  badCredentials: 4,
  notAuthorized: 5,
} as const;

/** Return codes of MQTT 3.1.1 by reason code of MQTT 5. Any other reason code is sent as `notAuthorized`. */
const RETURN_CODES: ReadonlyMap<number, number> = new Map<number, number>([
  [REASON.success, CONNACK.accepted],
  [REASON.unsupportedProtocolVersion, CONNACK.unacceptableVersion],
  [REASON.clientIdentifierNotValid, CONNACK.identifierRejected],
  [REASON.serverUnavailable, CONNACK.serverUnavailable],
  [REASON.serverBusy, CONNACK.serverUnavailable],
  [REASON.quotaExceeded, CONNACK.serverUnavailable],
  [REASON.connectionRateExceeded, CONNACK.serverUnavailable],
  [REASON.badUserNameOrPassword, CONNACK.badCredentials],
]);

/** Return code of SUBACK for a refused filter (MQTT 3.1.1, 3.9.3). */
export const SUBACK_FAILURE = 0x80;

/** Maximum packet identifier (MQTT 5, 2.2.1). */
export const MAX_PACKET_ID = 65_535;

const PINGRESP = Buffer.from([0xd0, 0x00]);

/** Encodes a packet. PUBLISH and its acknowledgements have separate encoders. */
export function encode(packet: Packet, version: Version = 4): Buffer {
  return generate(packet, { protocolVersion: version });
}

/** Properties of a CONNACK (MQTT 5, 3.2.2.3). */
export type ConnackProperties = {
  readonly receiveMaximum?: number;
  readonly serverKeepAlive?: number;
  readonly retainAvailable?: boolean;
  readonly maximumPacketSize?: number;
  readonly topicAliasMaximum?: number;
  readonly assignedClientIdentifier?: string;
  readonly responseInformation?: string;
  readonly reasonString?: string;
};

/**
 * Encodes CONNACK. `reasonCode` is a reason code of MQTT 5. Before MQTT 5, `reasonCode` is converted to a
 * return code.
 */
export function encodeConnack(
  version: Version,
  reasonCode: number,
  sessionPresent: boolean,
  properties: ConnackProperties = {},
): Buffer {
  if (version === 5) return encode({ cmd: 'connack', reasonCode, sessionPresent, properties }, version);
  const returnCode = RETURN_CODES.get(reasonCode) ?? CONNACK.notAuthorized;
  return encode({ cmd: 'connack', returnCode, sessionPresent }, version);
}

/** Encodes SUBACK. `codes` are reason codes of MQTT 5 (3.9.3). Before MQTT 5, each error is sent as 0x80. */
export function encodeSuback(version: Version, messageId: number, codes: readonly number[]): Buffer {
  const granted = codes.map(code => (version < 5 && code >= SUBACK_FAILURE ? SUBACK_FAILURE : code));
  return encode({ cmd: 'suback', messageId, granted }, version);
}

/** Encodes UNSUBACK. `codes` are codes of MQTT 5 (3.11.3) and are omitted in earlier versions. */
export function encodeUnsuback(version: Version, messageId: number, codes: readonly number[]): Buffer {
  return encode({ cmd: 'unsuback', messageId, granted: version < 5 ? [] : [...codes] }, version);
}

export function encodePingresp(): Buffer {
  return PINGRESP;
}

/**
 * Encodes DISCONNECT of MQTT 5 (3.14). Omits the reason string if the packet would be larger than `maxBytes`
 * [MQTT-3.14.2-3].
 */
export function encodeDisconnect(reasonCode: number, reasonString: string, maxBytes: number): Buffer {
  const plain = encode({ cmd: 'disconnect', reasonCode }, 5);
  if (reasonString === '') return plain;
  const packet = encode({ cmd: 'disconnect', reasonCode, properties: { reasonString } }, 5);
  return packet.length <= maxBytes ? packet : plain;
}
