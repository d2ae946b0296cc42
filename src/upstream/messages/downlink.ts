import type { Pressure } from '../../core/capacity/pressure.ts';
import type { Clock } from '../../core/clock.ts';
import { noteException } from '../../core/containment.ts';
import type { Log } from '../../core/log.ts';
import type { Message, OnDurable, Origin } from '../../core/message.ts';
import { NO_PROPERTIES } from '../../core/message.ts';
import { messageProblem } from '../../core/text/characters.ts';
import { matches } from '../../core/topic-filter.ts';
import { PUBACK, PUBCOMP, PUBREC } from '../../mqtt/acknowledgement.ts';
import type { Publish } from '../../mqtt/read-publish.ts';
import { isTopicName, plainFilter } from '../../mqtt/topics.ts';
import { MAX_DELIVERY_EXCEPTIONS } from '../../queue/limits.ts';
import type { MetadataEntry } from '../../queue/types.ts';
import { DOWN_RETRY_MS, MAX_DOWN_WINDOW, MAX_UNRELEASED } from '../limits.ts';
import type { Link } from '../link/link.ts';
import { createReceipts } from './ack-queue.ts';
import type { InboundMessage, Qos2Inbound } from './qos2-inbound.ts';

/** Accepts a downstream message. Calls `settle` when the message and `note` are durable. */
export type TakeDown = (message: Message, settle: OnDurable, note?: MetadataEntry) => void;

export type DownlinkSettings = {
  /** Name of the upstream. */
  readonly name: string;
  readonly link: Pick<Link, 'acknowledge' | 'hold' | 'unrequested' | 'fail'>;
  readonly take: TakeDown;
  /** Topic filters of the session, including those at the start of the link. */
  readonly filters: readonly string[];
  readonly arrivals: Qos2Inbound;
  /** Back-pressure of the store. While it is high, the socket is not read. */
  readonly pressure: Pressure;
  readonly clock: Clock;
  readonly log: Log;
};

/** Downstream messages of one link. Each is acknowledged when it is durable. */
export type Downlink = {
  readonly publish: (packet: Publish) => void;
  /** Handles PUBREL. Returns false if it was not expected. */
  readonly released: (packetId: number) => boolean;
  readonly stop: () => void;
};

export function startDownlink(settings: DownlinkSettings): Downlink {
  const { name, link, take, arrivals, pressure, clock, log } = settings;
  const filters = settings.filters.map(filter => plainFilter(filter) ?? filter);
  const origin: Origin = { kind: 'upstream', upstream: name };
  const receipts = createReceipts();
  /** Packet identifiers of QoS 2 messages on this link whose PUBREC has not been sent. */
  const arriving = new Set<number>();
  let lastProblem: string | undefined;
  let held = false;
  let waitsForStore = false;
  let stopped = false;

  const breathe = (): void => {
    if (pressure.high() && !waitsForStore) {
      waitsForStore = true;
      pressure.whenLow(() => {
        waitsForStore = false;
        if (!stopped) breathe();
      });
    }
    // A server within its Receive Maximum is always read, because PUBACKs for outgoing messages arrive on the
    // same socket.
    const full = waitsForStore || receipts.owed() > MAX_DOWN_WINDOW;
    if (full === held) return;
    held = full;
    link.hold(full);
  };

  /** Passes a message on. Returns false if that threw; the exception is contained. */
  const attempt = (message: Message, settle: OnDurable, note?: MetadataEntry): boolean => {
    try {
      take(message, settle, note);
      return true;
    } catch (thrown) {
      noteException(log, 'the delivery of a message from upstream', thrown);
      return false;
    }
  };

  /**
   * Retries until the message is durable: a full store is retried later, while the upstream keeps the
   * message.
   */
  const keep = (
    message: Message,
    note: MetadataEntry | undefined,
    safe: () => void,
    lost: () => void,
  ): void => {
    let exceptions = 0;
    const offer = (): void => {
      if (stopped) {
        lost();
        return;
      }
      if (attempt(message, settle, note)) return;
      exceptions++;
      if (exceptions < MAX_DELIVERY_EXCEPTIONS) clock.after(DOWN_RETRY_MS, offer);
      else {
        const topic = message.topic.slice(0, 128);
        log.error(`Discarded a message from upstream on "${topic}": its delivery failed in the hub.`);
        safe();
      }
    };
    const settle: OnDurable = error => {
      if (error === undefined) {
        safe();
        return;
      }
      log.warn(`What came down is not acknowledged yet: ${error.message}`);
      clock.after(DOWN_RETRY_MS, offer);
    };
    offer();
  };

  const owe = (type: number, packetId: number): (() => void) => {
    const pay = receipts.owe(() => {
      if (!stopped) link.acknowledge(type, packetId);
    });
    breathe();
    return () => {
      pay();
      if (!stopped) breathe();
    };
  };

  /** Registers a QoS 2 message. Undefined if it is a duplicate, in progress, or one too many. */
  const enter = (packetId: number): InboundMessage | undefined => {
    if (arriving.has(packetId)) {
      link.unrequested('PUBLISH');
      return undefined;
    }
    if (arrivals.isFull(packetId)) {
      link.fail(`it sent ${MAX_UNRELEASED} messages at QoS 2 and released none of them`);
      return undefined;
    }
    arriving.add(packetId);
    const pay = owe(PUBREC, packetId);
    return arrivals.arrive(packetId, () => {
      arriving.delete(packetId);
      pay();
    });
  };

  const receive = (message: Message, packetId: number): void => {
    const arrival = enter(packetId);
    if (arrival === undefined) return;
    const safe = (): void => arrivals.safe(arrival);
    keep(message, arrivals.note(packetId), safe, () => arrivals.lost(arrival));
  };

  /**
   * Acknowledges a message that can never be accepted, because otherwise it would be redelivered on every
   * connection.
   */
  const discard = ({ qos, messageId }: Publish, problem: string): void => {
    if (problem !== lastProblem) log.warn(`Discarded a message from upstream: ${problem}.`);
    lastProblem = problem;
    if (qos === 1) owe(PUBACK, messageId)();
    if (qos < 2) return;
    const arrival = enter(messageId);
    if (arrival !== undefined) arrivals.safe(arrival);
  };

  const problemOf = (message: Message): string | undefined =>
    filters.some(filter => matches(filter, message.topic))
      ? messageProblem(message)
      : 'its topic matches no filter of "down"';

  return {
    publish: packet => {
      if (packet.properties?.topicAlias !== undefined) {
        link.fail('it sent a topic alias, which it was not allowed');
        return;
      }
      breathe();
      const message = messageOf(packet, origin);
      const problem = isTopicName(message.topic) ? problemOf(message) : 'its topic is not a topic name';
      if (problem !== undefined) discard(packet, problem);
      else if (packet.qos === 0) attempt(message, () => {});
      else if (packet.qos === 1) keep(message, undefined, owe(PUBACK, packet.messageId), () => {});
      else receive(message, packet.messageId);
    },
    released: packetId =>
      arrivals.release(packetId, () => {
        if (!stopped) link.acknowledge(PUBCOMP, packetId);
      }),
    stop: () => {
      stopped = true;
    },
  };
}

function messageOf({ topic, payload, qos, retain, properties }: Publish, origin: Origin): Message {
  const expiry = properties?.messageExpiry;
  return {
    topic,
    body: payload,
    qos,
    retain,
    retained: false,
    origin,
    properties: properties?.userProperties ?? NO_PROPERTIES,
    contentType: properties?.contentType,
    payloadFormat: properties?.payloadFormat,
    responseTopic: properties?.responseTopic,
    correlation: properties?.correlation,
    ttl: expiry === undefined ? undefined : expiry * 1000,
  };
}
