import type { Session } from './session.ts';
import type { BrokerCounts, CountPassed } from './types.ts';

/*
 * Most of what a broker carries at QoS 0 is one topic again and again, which no route takes. Once the way of a topic
 * is known, its packets are passed on as they came in: those that follow each other as one piece, to each receiver.
 */

/** The first byte of a PUBLISH at QoS 0 that is neither a duplicate nor retained: what came in goes out. */
const PLAIN_PUBLISH = 0x30;

/** Who gets the messages of a topic, as long as no subscription changes. */
export type Way = {
  readonly topic: Buffer;
  readonly receivers: readonly Session[];
  /** Of the subscriptions when it was found. */
  readonly version: number;
  readonly count: CountPassed;
};

export type Express = {
  /** The packet at `start` to `end` of `bytes`, whose topic's length stands at `topicAt`; false: it must be read. */
  readonly take: (bytes: Buffer, start: number, topicAt: number, end: number) => boolean;
  /** Sends what was taken: before anything else of this connection happens. */
  readonly flush: () => void;
  /** From now on this way is gone by what fits it. */
  readonly remember: (way: Way) => void;
};

/** `version` is that of the subscriptions. */
export function createExpress(counts: BrokerCounts, version: () => number): Express {
  let way: Way | undefined;
  let bytes: Buffer | undefined;
  let start = 0;
  let end = 0;
  let messages = 0;

  const flush = (): void => {
    if (bytes === undefined || way === undefined) return;
    const piece = bytes.subarray(start, end);
    bytes = undefined;
    counts.received += messages;
    way.count(messages, way.receivers.length);
    for (const { connection: receiver } of way.receivers) {
      // QoS 0 is for who is there and keeps up (MQTT 3.1.1, 4.3.1).
      if (receiver?.sendPackets(piece) === true) counts.sent += messages;
      else counts.dropped += messages;
    }
  };

  return {
    take: (chunk, from, topicAt, to) => {
      if (way === undefined || chunk[from] !== PLAIN_PUBLISH) return false;
      if (way.version !== version() || !begins(chunk, topicAt, to, way.topic)) return false;
      if (bytes !== chunk || end !== from) {
        flush();
        bytes = chunk;
        start = from;
        messages = 0;
      }
      end = to;
      messages++;
      return true;
    },
    flush,
    remember: found => {
      way = found;
    },
  };
}

/** True if the text whose length stands at `at` is `topic`. */
function begins(bytes: Buffer, at: number, end: number, topic: Buffer): boolean {
  const { length } = topic;
  if (at + 2 + length > end || bytes[at] !== length >> 8 || bytes[at + 1] !== (length & 0xff)) return false;
  for (let index = 0; index < length; index++) {
    if (bytes[at + 2 + index] !== topic[index]) return false;
  }
  return true;
}
