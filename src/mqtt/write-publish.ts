import type { Message, QoS } from '../core/message.ts';
import { DUP, PUBLISH, RETAIN } from './read-publish.ts';
import type { Version } from './version.ts';

/* PUBLISH packets (MQTT 5, 3.3) are written directly into the target buffer. */

/** Options of one outgoing PUBLISH. `packetId` is 0 at QoS 0. */
export type PublishOptions = {
  /** Topic. Empty if the packet has only a topic alias. */
  readonly topic: string;
  readonly qos: QoS;
  readonly packetId: number;
  readonly dup: boolean;
  readonly retain: boolean;
  /** Remaining lifetime of the message in seconds. Undefined if its sender sets no limit. */
  readonly expiry: number | undefined;
  readonly subscriptionIds: readonly number[];
  /** Topic alias, or 0 if none is sent. */
  readonly alias: number;
};

export const DEFAULT_PUBLISH_OPTIONS = {
  packetId: 0,
  dup: false,
  retain: false,
  expiry: undefined,
  subscriptionIds: [],
  alias: 0,
} as const satisfies Partial<PublishOptions>;

/** Returns the number of bytes of the PUBLISH for `message`. */
export function publishSize(message: Message, options: PublishOptions, version: Version): number {
  const length = restLength(message, options, version);
  return 1 + variableSize(length) + length;
}

function restLength(message: Message, options: PublishOptions, version: Version): number {
  const { topic, qos } = options;
  const fixed = 2 + Buffer.byteLength(topic) + (qos > 0 ? 2 : 0) + message.body.length;
  if (version < 5) return fixed;
  const properties = propertiesLength(message, options);
  return fixed + variableSize(properties) + properties;
}

function propertiesLength(message: Message, { expiry, subscriptionIds, alias }: PublishOptions): number {
  const { payloadFormat, contentType, responseTopic, correlation, properties } = message;
  let length = 0;
  if (payloadFormat !== undefined) length += 2;
  if (expiry !== undefined) length += 5;
  if (contentType !== undefined) length += 3 + Buffer.byteLength(contentType);
  if (responseTopic !== undefined) length += 3 + Buffer.byteLength(responseTopic);
  if (correlation !== undefined) length += 3 + correlation.length;
  for (const id of subscriptionIds) length += 1 + variableSize(id);
  if (alias > 0) length += 3;
  for (let at = 0; at < properties.length; at += 2)
    length += 5 + Buffer.byteLength(properties[at] ?? '') + Buffer.byteLength(properties[at + 1] ?? '');
  return length;
}

/**
 * Writes the PUBLISH for `message` at `start`. The PUBLISH has `publishSize` bytes. Returns the position
 * after the last byte.
 */
export function writePublish(
  target: Buffer,
  start: number,
  message: Message,
  options: PublishOptions,
  version: Version,
): number {
  const { topic, qos, packetId, dup, retain } = options;
  const { body } = message;
  target[start] = PUBLISH | (dup ? DUP : 0) | (qos << 1) | (retain ? RETAIN : 0);
  let at = writeVariable(target, start + 1, restLength(message, options, version));
  at = writeText(target, at, topic);
  if (qos > 0) at = target.writeUInt16BE(packetId, at);
  if (version === 5) at = writeProperties(target, at, message, options);
  target.set(body, at);
  return at + body.length;
}

function writeProperties(target: Buffer, start: number, message: Message, options: PublishOptions): number {
  const { payloadFormat, contentType, responseTopic, correlation, properties } = message;
  const { expiry, subscriptionIds, alias } = options;
  let at = writeVariable(target, start, propertiesLength(message, options));
  if (payloadFormat !== undefined) at = target.writeUInt8(payloadFormat, target.writeUInt8(0x01, at));
  if (expiry !== undefined) at = target.writeUInt32BE(expiry, target.writeUInt8(0x02, at));
  if (contentType !== undefined) at = writeText(target, target.writeUInt8(0x03, at), contentType);
  if (responseTopic !== undefined) at = writeText(target, target.writeUInt8(0x08, at), responseTopic);
  if (correlation !== undefined) {
    at = target.writeUInt16BE(correlation.length, target.writeUInt8(0x09, at));
    target.set(correlation, at);
    at += correlation.length;
  }
  for (const id of subscriptionIds) at = writeVariable(target, target.writeUInt8(0x0b, at), id);
  if (alias > 0) at = target.writeUInt16BE(alias, target.writeUInt8(0x23, at));
  for (let index = 0; index < properties.length; index++) {
    if (index % 2 === 0) target[at++] = 0x26;
    at = writeText(target, at, properties[index] ?? '');
  }
  return at;
}

export function encodePublish(message: Message, options: PublishOptions, version: Version): Buffer {
  const packet = Buffer.allocUnsafe(publishSize(message, options, version));
  writePublish(packet, 0, message, options, version);
  return packet;
}

function writeText(target: Buffer, start: number, text: string): number {
  const written = target.write(text, start + 2);
  target.writeUInt16BE(written, start);
  return start + 2 + written;
}

/** Returns the number of bytes of a variable byte integer (1.5.5). */
function variableSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}

function writeVariable(target: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[at++] = (rest % 0x80) | 0x80;
  target[at++] = rest;
  return at;
}
