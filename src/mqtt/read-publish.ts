import type { Properties, QoS } from '../core/message.ts';
import type { PropertyValues } from './properties.ts';
import { readProperties } from './properties.ts';
import type { Strictness } from './reader.ts';
import { createPacketReader, NOT_A_STRING, setError, textAt } from './reader.ts';
import type { ProtocolError } from './reasons.ts';
import { protocolError, REASON } from './reasons.ts';
import type { Version } from './version.ts';

/*
 * PUBLISH packets (MQTT 5, 3.3) are parsed in place, because almost all packets are PUBLISH or its
 * acknowledgements. test/mqtt/publish.test.ts compares the parser with the package mqtt-packet.
 */

/** First byte of a PUBLISH packet without flags. */
export const PUBLISH = 0x30;

/** DUP flag in the first byte of a PUBLISH packet. */
export const DUP = 0x08;

/** RETAIN flag in the first byte of a PUBLISH packet. */
export const RETAIN = 0x01;

/** Parsed PUBLISH. The payload is a slice of the input buffer. */
export type Publish = {
  readonly cmd: 'publish';
  /** Topic. Empty if the packet has only a topic alias. */
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly dup: boolean;
  readonly retain: boolean;
  /** Packet identifier. 0 at QoS 0. */
  readonly messageId: number;
  /** Properties of MQTT 5. Undefined if the packet has no properties. */
  readonly properties: PublishProperties | undefined;
};

export type PublishProperties = {
  readonly payloadFormat: 0 | 1 | undefined;
  /** Lifetime of the message in seconds. */
  readonly messageExpiry: number | undefined;
  readonly topicAlias: number | undefined;
  readonly responseTopic: string | undefined;
  readonly correlation: Buffer | undefined;
  readonly userProperties: Properties;
  /** Subscription identifiers. Only a server sends them. */
  readonly subscriptionIds: readonly number[];
  readonly contentType: string | undefined;
};

const CUT_SHORT = protocolError(REASON.malformedPacket, 'a packet is truncated');

/**
 * Parses a PUBLISH packet. Returns an error if the packet is invalid [MQTT-3.3.1-2], [MQTT-3.3.1-4],
 * [MQTT-2.2.1-3], [MQTT-1.5.4-1]. `first` is the first byte of the packet. The bytes after the fixed header
 * are at `start` to `end`. Does not check that the topic is a valid topic name.
 */
export function readPublish(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: Version,
  strictness: Strictness = 'strict',
): Publish | ProtocolError {
  const qos = qosOf((first >> 1) & 3);
  if (qos === undefined)
    return protocolError(REASON.malformedPacket, 'a PUBLISH has both bits of its QoS set');
  if (qos === 0 && (first & DUP) !== 0)
    return protocolError(REASON.malformedPacket, 'a PUBLISH at QoS 0 is marked as a duplicate');
  if (start + 2 > end) return CUT_SHORT;
  const topicEnd = start + 2 + bytes.readUInt16BE(start);
  const afterId = qos === 0 ? topicEnd : topicEnd + 2;
  if (afterId > end) return CUT_SHORT;
  const topic = textAt(bytes, start + 2, topicEnd, strictness);
  if (topic === undefined) return protocolError(REASON.malformedPacket, NOT_A_STRING);
  const messageId = qos === 0 ? 0 : bytes.readUInt16BE(topicEnd);
  if (qos > 0 && messageId === 0)
    return protocolError(REASON.protocolError, 'a PUBLISH has no packet identifier');
  const tail = version === 5 ? propertiesAt(bytes, afterId, end, strictness) : undefined;
  if (tail !== undefined && 'code' in tail) return tail;
  const properties = tail?.properties;
  if (topic === '' && properties?.topicAlias === undefined)
    return protocolError(
      version === 5 ? REASON.protocolError : REASON.malformedPacket,
      'a PUBLISH has no topic',
    );
  return {
    cmd: 'publish',
    topic,
    payload: bytes.subarray(tail?.bodyStart ?? afterId, end),
    qos,
    dup: (first & DUP) !== 0,
    retain: (first & RETAIN) !== 0,
    messageId,
    properties,
  };
}

/** Reads the properties of a PUBLISH. Returns the properties and the start of the payload. */
function propertiesAt(
  bytes: Buffer,
  at: number,
  end: number,
  strictness: Strictness,
): { readonly properties: PublishProperties | undefined; readonly bodyStart: number } | ProtocolError {
  if (at < end && bytes[at] === 0) return { properties: undefined, bodyStart: at + 1 };
  const reader = createPacketReader(bytes, at, end, strictness);
  const values = readProperties(reader, 'publish');
  if (values.numbers.topicAlias === 0)
    setError(reader, REASON.topicAliasInvalid, 'the topic alias of a PUBLISH is 0');
  const properties = publishProperties(values);
  if (/[+#]/.test(properties.responseTopic ?? ''))
    setError(reader, REASON.protocolError, 'the response topic of a PUBLISH has wildcards');
  return reader.error ?? { properties, bodyStart: reader.at };
}

/** Converts parsed properties to the properties of a message. Used for PUBLISH and for wills. */
export function publishProperties({
  numbers,
  texts,
  binaries,
  user,
  subscriptionIds,
}: PropertyValues): PublishProperties {
  const { payloadFormat } = numbers;
  return {
    payloadFormat: payloadFormat === undefined ? undefined : payloadFormat === 0 ? 0 : 1,
    messageExpiry: numbers.messageExpiry,
    topicAlias: numbers.topicAlias,
    responseTopic: texts.responseTopic,
    correlation: binaries.correlation,
    userProperties: user,
    subscriptionIds,
    contentType: texts.contentType,
  };
}

export function qosOf(bits: number): QoS | undefined {
  return bits === 0 || bits === 1 || bits === 2 ? bits : undefined;
}
