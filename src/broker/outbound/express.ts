import { PUBACK } from '../../mqtt/acknowledgement.ts';
import { REASON } from '../../mqtt/reasons.ts';
import type { Version } from '../../mqtt/version.ts';
import type { Connection } from '../connection.ts';
import type { BrokerContext } from '../context.ts';
import type { Session } from '../sessions/session.ts';
import type { CountPassed } from '../types.ts';
import { transmitBytes } from './transmit.ts';

/*
 * Most of what a broker carries is one topic again and again, which no route takes. Once the way of a topic is known,
 * its packets are passed on as they came in: at QoS 0 those that follow each other as one piece, at QoS 1 with a packet
 * identifier of the receiver's. What cannot go so, for whatever reason, is read and published.
 */

/** The first byte of a PUBLISH that is neither a duplicate nor retained, at QoS 0 and 1. */
const PLAIN = [0x30, 0x32] as const;

/** Who gets the messages of a topic, as long as no subscription changes: clients that take the very bytes. */
export type Way = {
  readonly topic: string;
  readonly topicBytes: Buffer;
  readonly qos: 0 | 1;
  /** Undefined: each message must be read. */
  readonly receivers: readonly Session[] | undefined;
  /** Of the subscriptions when it was found. */
  readonly version: number;
  readonly count: CountPassed;
};

export type Express = {
  /** The packet at `start` to `end` of `bytes`, whose topic's length stands at `topicAt`; false: it must be read. */
  readonly take: (sender: Connection, bytes: Buffer, start: number, topicAt: number, end: number) => boolean;
  /** Sends what was taken: before anything else of this connection happens. */
  readonly flush: () => void;
  /** True: what is remembered is about these messages, and nothing has changed. */
  readonly knows: (topic: string, qos: number) => boolean;
  /** From now on this way is gone by what fits it. */
  readonly remember: (way: Way) => void;
};

export function createExpress({ counts, sessions }: BrokerContext): Express {
  const { version } = sessions.subscriptions;
  let way: Way | undefined;
  let bytes: Buffer | undefined;
  let start = 0;
  let end = 0;
  let messages = 0;

  const flush = (): void => {
    if (bytes === undefined || way?.receivers === undefined) return;
    const piece = bytes.subarray(start, end);
    bytes = undefined;
    counts.received += messages;
    way.count(messages, way.receivers.length);
    for (const { connection: receiver } of way.receivers) {
      // QoS 0 is for who is there and keeps up (MQTT 5, 4.3.1).
      if (receiver === undefined || !transmitBytes(receiver, piece, messages)) counts.dropped += messages;
    }
  };

  /** Adds a packet at QoS 0 to the piece that goes out. */
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

  /** Passes one packet at QoS 1 on; false: some receiver cannot take it now. */
  const pass = (
    { acknowledge, receipts }: Connection,
    receivers: readonly Session[],
    count: CountPassed,
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
    if (receipts.owed() === 0) acknowledge(PUBACK, packetId, code);
    else receipts.pay(receipts.owe(PUBACK, packetId), code);
    return true;
  };

  return {
    take: (sender, chunk, from, topicAt, to) => {
      if (way?.receivers === undefined || chunk[from] !== PLAIN[way.qos]) return false;
      if (way.version !== version() || !isPlain(chunk, topicAt, to, way, sender.version)) return false;
      const { receivers, count, topicBytes } = way;
      if (way.qos === 1)
        return pass(sender, receivers, count, chunk, from, to, topicAt + 2 + topicBytes.length);
      extend(chunk, from, to);
      return true;
    },
    flush,
    knows: (topic, qos) => way?.topic === topic && way.qos === qos && way.version === version(),
    remember: found => {
      way = found;
    },
  };
}

/** True if the packet whose topic's length stands at `at` is on the topic of the way, and has no properties. */
function isPlain(
  bytes: Buffer,
  at: number,
  end: number,
  { topicBytes: topic, qos }: Way,
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
