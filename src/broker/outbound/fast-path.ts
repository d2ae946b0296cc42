import { PUBACK } from '../../mqtt/acknowledgement.ts';
import { REASON } from '../../mqtt/reasons.ts';
import type { Version } from '../../mqtt/version.ts';
import type { BrokerContext } from '../context.ts';
import type { AckQueue } from '../inbound/ack-queue.ts';
import type { Session } from '../sessions/session.ts';
import type { CountForwarded } from '../types.ts';
import { transmitBytes } from './transmit.ts';
import type { Receiver } from './types.ts';

/*
 * Fast path for a client that publishes on one topic repeatedly. The first message is parsed, and its
 * receivers are cached. If no route of the manifest matches the topic, further packets are forwarded without
 * parsing: at QoS 0 consecutive packets together, at QoS 1 each packet with a new packet identifier. All
 * other packets are parsed and published normally.
 */

/** First byte of a PUBLISH without DUP and RETAIN, by QoS. */
const PLAIN_HEADER = [0x30, 0x32] as const;

/** Cached receivers of a publisher's messages with one topic and QoS. Valid until a subscription changes. */
export type CachedRoute = {
  readonly topic: string;
  readonly topicBytes: Buffer;
  readonly qos: 0 | 1;
  /** Sessions to which the publisher's bytes are forwarded. Undefined if messages must be parsed. */
  readonly receivers: readonly Session[] | undefined;
  /** Version of the subscription tree when the route was cached. */
  readonly version: number;
  readonly count: CountForwarded;
};

/** Part of the publisher's connection that the fast path uses. */
export type FastPathSender = Pick<Receiver, 'version' | 'acknowledge'> & { readonly acks: AckQueue };

export type FastPath = {
  /**
   * Forwards the packet from `start` to `end` of `bytes`, if the cached route applies. `topicAt` is the
   * offset of the length field of the topic. Returns false if the packet must be parsed.
   */
  readonly tryForward: (
    sender: FastPathSender,
    bytes: Buffer,
    start: number,
    topicAt: number,
    end: number,
  ) => boolean;
  /**
   * Sends the collected QoS 0 packets. Must be called before any other packet of the publisher is handled.
   */
  readonly flush: () => void;
  /** True if a valid route for this topic and QoS is cached. */
  readonly isCached: (topic: string, qos: number) => boolean;
  /** Replaces the cached route. */
  readonly cache: (route: CachedRoute) => void;
};

export function createFastPath({ counts, sessions }: Pick<BrokerContext, 'counts' | 'sessions'>): FastPath {
  const { version } = sessions.subscriptions;
  let route: CachedRoute | undefined;
  /** Chunk that contains the collected packets. Undefined if no packets are collected. */
  let bytes: Buffer | undefined;
  let start = 0;
  let end = 0;
  let messages = 0;

  const flush = (): void => {
    if (bytes === undefined || route?.receivers === undefined) return;
    const packets = bytes.subarray(start, end);
    bytes = undefined;
    counts.received += messages;
    route.count(messages, route.receivers.length);
    for (const { connection: receiver } of route.receivers) {
      // A QoS 0 message is dropped if the receiver is not connected or is too slow (MQTT 5, 4.3.1).
      if (receiver === undefined || !transmitBytes(counts, receiver, packets, messages))
        counts.dropped += messages;
    }
  };

  /**
   * Adds a QoS 0 packet to the collected packets, which `flush` sends together. Flushes first if the packet
   * does not directly follow the collected packets in the same chunk.
   */
  const collect = (chunk: Buffer, from: number, to: number): void => {
    if (bytes !== chunk || end !== from) {
      flush();
      bytes = chunk;
      start = from;
      messages = 0;
    }
    end = to;
    messages++;
  };

  /** Forwards a QoS 1 packet. Returns false if a receiver cannot accept the packet immediately. */
  const forward = (
    { acknowledge, acks }: FastPathSender,
    receivers: readonly Session[],
    count: CountForwarded,
    chunk: Buffer,
    from: number,
    to: number,
    idAt: number,
  ): boolean => {
    const packetId = chunk.readUInt16BE(idAt);
    if (packetId === 0) return false;
    for (const { delivery } of receivers) if (delivery?.ready() !== true) return false;
    for (const { delivery } of receivers) delivery?.forward(chunk, from, to, idAt);
    counts.received++;
    count(1, receivers.length);
    const code = receivers.length === 0 ? REASON.noMatchingSubscribers : REASON.success;
    if (acks.pending() === 0) acknowledge(PUBACK, packetId, code);
    else acks.complete(acks.reserve(PUBACK, packetId), code);
    return true;
  };

  return {
    tryForward: (sender, chunk, from, topicAt, to) => {
      if (route?.receivers === undefined || chunk[from] !== PLAIN_HEADER[route.qos]) return false;
      if (route.version !== version() || !isPlain(chunk, topicAt, to, route, sender.version)) return false;
      const { receivers, count, topicBytes } = route;
      if (route.qos === 1)
        return forward(sender, receivers, count, chunk, from, to, topicAt + 2 + topicBytes.length);
      collect(chunk, from, to);
      return true;
    },
    flush,
    isCached: (topic, qos) => route?.topic === topic && route.qos === qos && route.version === version(),
    cache: found => {
      route = found;
    },
  };
}

/**
 * True if the packet has the topic of the route and no properties. `at` is the offset of the length field of
 * the topic.
 */
function isPlain(
  bytes: Buffer,
  at: number,
  end: number,
  { topicBytes: topic, qos }: CachedRoute,
  version: Version,
): boolean {
  const { length } = topic;
  const topicEnd = at + 2 + length;
  const propertiesAt = topicEnd + 2 * qos;
  if (propertiesAt > end || bytes[at] !== length >> 8 || bytes[at + 1] !== (length & 0xff)) return false;
  for (let index = 0; index < length; index++) {
    if (bytes[at + 2 + index] !== topic[index]) return false;
  }
  return version !== 5 || (propertiesAt < end && bytes[propertiesAt] === 0);
}
