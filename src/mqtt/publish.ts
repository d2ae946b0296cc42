import { isUtf8 } from 'node:buffer';
import type { Message, QoS } from '../core/message.ts';

/*
 * PUBLISH and its acknowledgements of MQTT 3.1.1 (3.3, 3.4), read and written in place: all but a few packets
 * are these. What they say is held to what mqtt-packet says by test/mqtt/publish.test.ts.
 */

/** The first byte of a packet is its type and, for PUBLISH, these flags. */
export const PUBLISH = 0x30;
export const PUBACK = 0x40;
const DUP = 0x08;
const RETAIN = 0x01;

/** Bytes of a PUBACK. */
const ACKNOWLEDGEMENT_BYTES = 4;

/** A PUBLISH as it came in. Its payload is a part of the buffer that was read. */
export type Publish = {
  readonly cmd: 'publish';
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly dup: boolean;
  readonly retain: boolean;
  /** 0 at QoS 0. */
  readonly messageId: number;
};

/**
 * The PUBLISH whose first byte is `first` and whose rest lies at `start` to `end`; a string says what is wrong
 * with it (3.3.1-2, 3.3.1-4, 2.3.1-1, 1.5.3-1). What its topic may be is not asked here.
 */
export function readPublish(bytes: Buffer, first: number, start: number, end: number): Publish | string {
  const qos = qosOf((first >> 1) & 3);
  if (qos === undefined) return 'a PUBLISH has both bits of its QoS set';
  if (qos === 0 && (first & DUP) !== 0) return 'a PUBLISH at QoS 0 is marked as a duplicate';
  if (start + 2 > end) return 'a packet is cut short';
  const topicEnd = start + 2 + bytes.readUInt16BE(start);
  const bodyStart = qos === 0 ? topicEnd : topicEnd + 2;
  if (bodyStart > end) return 'a packet is cut short';
  const topic = textAt(bytes, start + 2, topicEnd);
  if (topic === undefined) return 'a topic is not UTF-8';
  const packetId = qos === 0 ? 0 : bytes.readUInt16BE(topicEnd);
  if (qos > 0 && packetId === 0) return 'a PUBLISH has no packet identifier';
  return {
    cmd: 'publish',
    topic,
    payload: bytes.subarray(bodyStart, end),
    qos,
    dup: (first & DUP) !== 0,
    retain: (first & RETAIN) !== 0,
    messageId: packetId,
  };
}

function qosOf(bits: number): QoS | undefined {
  return bits === 0 || bits === 1 || bits === 2 ? bits : undefined;
}

/** Undefined if it is not UTF-8. Most texts are ASCII, and that is seen faster here than it is decoded. */
function textAt(bytes: Buffer, start: number, end: number): string | undefined {
  let wide = 0;
  for (let at = start; at < end; at++) wide |= bytes[at] ?? 0;
  if (wide < 0x80) return bytes.toString('latin1', start, end);
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : undefined;
}

/** How one PUBLISH goes out; `packetId` is 0 for QoS 0. */
export type Dispatch = {
  readonly topic: string;
  readonly qos: QoS;
  readonly packetId: number;
  readonly dup: boolean;
  readonly retain: boolean;
};

/** The bytes of `message` as a PUBLISH. */
export function encodePublish(message: Message, dispatch: Dispatch): Buffer {
  const { topic, qos, packetId, dup, retain } = dispatch;
  const { body } = message;
  const topicBytes = Buffer.byteLength(topic);
  const length = 2 + topicBytes + (qos > 0 ? 2 : 0) + body.length;
  const packet = Buffer.allocUnsafe(1 + lengthBytes(length) + length);
  packet[0] = PUBLISH | (dup ? DUP : 0) | (qos << 1) | (retain ? RETAIN : 0);
  let at = writeLength(packet, 1, length);
  at = packet.writeUInt16BE(topicBytes, at);
  at += packet.write(topic, at, topicBytes === topic.length ? 'latin1' : 'utf8');
  if (qos > 0) at = packet.writeUInt16BE(packetId, at);
  packet.set(body, at);
  return packet;
}

export function encodePuback(packetId: number): Buffer {
  const packet = Buffer.allocUnsafe(ACKNOWLEDGEMENT_BYTES);
  packet[0] = PUBACK;
  packet[1] = 2;
  packet.writeUInt16BE(packetId, 2);
  return packet;
}

/** Bytes that a remaining length takes (2.2.3). */
function lengthBytes(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  return length < 0x20_0000 ? 3 : 4;
}

/** Writes a remaining length, and returns where it ended. */
function writeLength(packet: Buffer, start: number, length: number): number {
  let at = start;
  let rest = length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) packet[at++] = (rest % 0x80) | 0x80;
  packet[at++] = rest;
  return at;
}
