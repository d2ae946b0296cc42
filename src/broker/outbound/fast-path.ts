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
 * Fast path. Most traffic repeats topics that no route matches. After the first message its receivers are
 * cached, and further packets are forwarded as bytes: at QoS 0 consecutive packets as one piece, at QoS 1
 * with a new packet identifier. Any other packet is parsed and published normally.
 */

/** First byte of a PUBLISH without DUP and RETAIN, at QoS 0 and 1. */
const PLAIN = [0x30, 0x32] as const;

/** Receivers of a topic that accept the unchanged bytes. Valid until a subscription changes. */
export type CachedRoute = {
  readonly topic: string;
  readonly topicBytes: Buffer;
  readonly qos: 0 | 1;
  /** Undefined if each message must be parsed. */
  readonly receivers: readonly Session[] | undefined;
  /** Version of the subscriptions when the route was cached. */
  readonly version: number;
  readonly count: CountForwarded;
};

/** Connection of the publisher, as far as the fast path needs it. */
export type FastPathSender = Pick<Receiver, 'version' | 'acknowledge'> & { readonly acks: AckQueue };

export type FastPath = {
  /**
   * Tries to forward the packet at `start` to `end` of `bytes`; the topic's length is at `topicAt`. Returns
   * false if it must be parsed.
   */
  readonly tryForward: (
    sender: FastPathSender,
    bytes: Buffer,
    start: number,
    topicAt: number,
    end: number,
  ) => boolean;
  /** Sends the collected packets. Must precede anything else on this connection. */
  readonly flush: () => void;
  /** True if the cached route is for this topic and QoS, and is still valid. */
  readonly isCached: (topic: string, qos: number) => boolean;
  /** Caches a route. */
  readonly cache: (route: CachedRoute) => void;
};

export function createFastPath({ counts, sessions }: Pick<BrokerContext, 'counts' | 'sessions'>): FastPath {
  const { version } = sessions.subscriptions;
  let route: CachedRoute | undefined;
  let bytes: Buffer | undefined;
  let start = 0;
  let end = 0;
  let messages = 0;

  const flush = (): void => {
    if (bytes === undefined || route?.receivers === undefined) return;
    const piece = bytes.subarray(start, end);
    bytes = undefined;
    counts.received += messages;
    route.count(messages, route.receivers.length);
    for (const { connection: receiver } of route.receivers) {
      // QoS 0 goes only to connected clients that keep up (MQTT 5, 4.3.1).
      if (receiver === undefined || !transmitBytes(counts, receiver, piece, messages))
        counts.dropped += messages;
    }
  };

  /** Adds a QoS 0 packet to the piece to send. */
  const extend = (chunk: Buffer, from: number, to: number): void => {
    if (bytes !== chunk || end !== from) {
      flush();
      bytes = chunk;
      start = from;
      messages = 0;
    }
    end = to;
    messages++;
  };

  /** Forwards a QoS 1 packet. Returns false if a receiver's window is full. */
  const pass = (
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
    for (const { delivery } of receivers) delivery?.pass(chunk, from, to, idAt);
    counts.received++;
    count(1, receivers.length);
    const code = receivers.length === 0 ? REASON.noMatchingSubscribers : REASON.success;
    if (acks.pending() === 0) acknowledge(PUBACK, packetId, code);
    else acks.complete(acks.reserve(PUBACK, packetId), code);
    return true;
  };

  return {
    tryForward: (sender, chunk, from, topicAt, to) => {
      if (route?.receivers === undefined || chunk[from] !== PLAIN[route.qos]) return false;
      if (route.version !== version() || !isPlain(chunk, topicAt, to, route, sender.version)) return false;
      const { receivers, count, topicBytes } = route;
      if (route.qos === 1)
        return pass(sender, receivers, count, chunk, from, to, topicAt + 2 + topicBytes.length);
      extend(chunk, from, to);
      return true;
    },
    flush,
    isCached: (topic, qos) => route?.topic === topic && route.qos === qos && route.version === version(),
    cache: found => {
      route = found;
    },
  };
}

/** True if the packet has the cached topic and no properties; the topic's length is at `at`. */
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
