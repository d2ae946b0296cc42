import { readProperties } from './properties.ts';
import type { Strictness } from './reader.ts';
import { createPacketReader, setError } from './reader.ts';
import type { ProtocolError } from './reasons.ts';
import { protocolError, REASON } from './reasons.ts';
import type { Version } from './version.ts';

/*
 * The four acknowledgements (MQTT 5, 3.4 to 3.7) are read and written in place. Each acknowledgement has a
 * packet identifier. In MQTT 5, an acknowledgement also has a reason code and properties. The properties are
 * checked and ignored.
 */

/** First byte of a PUBACK packet. */
export const PUBACK = 0x40;

/** First byte of a PUBREC packet. */
export const PUBREC = 0x50;

/** First byte of a PUBREL packet. */
export const PUBREL = 0x62;

/** First byte of a PUBCOMP packet. */
export const PUBCOMP = 0x70;

/** Valid reason codes of PUBACK and PUBREC. */
const RECEIVED: readonly number[] = [
  REASON.success,
  REASON.noMatchingSubscribers,
  REASON.unspecifiedError,
  REASON.implementationSpecificError,
  REASON.notAuthorized,
  REASON.topicNameInvalid,
  REASON.packetIdentifierInUse,
  REASON.quotaExceeded,
  REASON.payloadFormatInvalid,
];

/** Valid reason codes of PUBREL and PUBCOMP. */
const RELEASED: readonly number[] = [REASON.success, REASON.packetIdentifierNotFound];

/**
 * True if `first` is the first byte of a PUBACK, PUBREC, PUBREL or PUBCOMP. The flags in the byte are
 * ignored.
 */
export function isAcknowledgement(first: number): boolean {
  return first >= PUBACK && first < PUBCOMP + 0x10;
}

/** Callback for a parsed acknowledgement. */
export type Acknowledged = (type: number, packetId: number, reasonCode: number) => void;

/**
 * Reads an acknowledgement. `first` is the first byte of the packet. The bytes after the fixed header are at
 * `start` to `end`. A reason code from a client must be valid for the type of the packet. A reason code from
 * a server is not checked, because a newer server can send further codes. Codes from 0x80 on are failures
 * (MQTT 5, 2.4).
 */
export function readAcknowledgement(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: Version,
  acknowledged: Acknowledged,
  sender: 'client' | 'server' = 'client',
): ProtocolError | undefined {
  const type = first & 0xf0;
  const whole = type === (PUBREL & 0xf0) ? PUBREL : type;
  if (first !== whole) return protocolError(REASON.malformedPacket, 'an acknowledgement has wrong flags');
  const length = end - start;
  if (length < 2 || (length > 2 && version < 5))
    return protocolError(REASON.malformedPacket, 'an acknowledgement has a wrong length');
  const packetId = bytes.readUInt16BE(start);
  if (packetId === 0)
    return protocolError(REASON.protocolError, 'an acknowledgement has no packet identifier');
  const reasonCode = length === 2 ? REASON.success : bytes.readUInt8(start + 2);
  const allowed = whole === PUBACK || whole === PUBREC ? RECEIVED : RELEASED;
  if (sender === 'client' && !allowed.includes(reasonCode))
    return protocolError(
      REASON.protocolError,
      `an acknowledgement has the invalid reason code ${reasonCode}`,
    );
  const wrong =
    length > 3
      ? propertiesError(bytes, start + 3, end, sender === 'client' ? 'strict' : 'lenient')
      : undefined;
  if (wrong === undefined) acknowledged(whole, packetId, reasonCode);
  return wrong;
}

function propertiesError(
  bytes: Buffer,
  start: number,
  end: number,
  strictness: Strictness,
): ProtocolError | undefined {
  const reader = createPacketReader(bytes, start, end, strictness);
  readProperties(reader, 'acknowledgement');
  if (reader.at < end)
    setError(reader, REASON.malformedPacket, 'an acknowledgement has bytes after its last field');
  return reader.error;
}

/**
 * Returns the number of bytes of an acknowledgement. Before MQTT 5, the packet has no reason code. In MQTT 5,
 * the reason code is omitted if it is success.
 */
export function acknowledgementSize(reasonCode: number, version: Version): number {
  return version === 5 && reasonCode !== REASON.success ? 5 : 4;
}

/** Writes an acknowledgement at `start`. Returns the position after the last byte. */
export function writeAcknowledgement(
  target: Buffer,
  start: number,
  type: number,
  packetId: number,
  reasonCode: number,
  version: Version,
): number {
  const size = acknowledgementSize(reasonCode, version);
  target[start] = type;
  target[start + 1] = size - 2;
  target[start + 2] = packetId >> 8;
  target[start + 3] = packetId & 0xff;
  if (size === 5) target[start + 4] = reasonCode;
  return start + size;
}

export function encodeAcknowledgement(
  type: number,
  packetId: number,
  reasonCode: number,
  version: Version,
): Buffer {
  const packet = Buffer.allocUnsafe(acknowledgementSize(reasonCode, version));
  writeAcknowledgement(packet, 0, type, packetId, reasonCode, version);
  return packet;
}
