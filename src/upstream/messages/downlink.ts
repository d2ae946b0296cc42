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
import type { TakeDown } from '../settings.ts';
import { createOrderedAcks } from './ack-queue.ts';
import type { InboundMessage, Qos2Inbound } from './qos2-inbound.ts';

export type DownlinkSettings = {
  /** Name of the upstream. */
  readonly name: string;
  readonly link: Pick<Link, 'acknowledge' | 'hold' | 'unrequested' | 'fail'>;
  readonly take: TakeDown;
  /**
   * Topic filters to which the session is subscribed or was subscribed before. A message that matches none of
   * the filters is discarded.
   */
  readonly filters: readonly string[];
  readonly arrivals: Qos2Inbound;
  /** Back-pressure of the store. While the pressure is high, the hub does not read the socket. */
  readonly pressure: Pressure;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Receiver of the downstream messages (from the server to the hub) of one link. Acknowledges each message
 * when the message is durable.
 */
export type Downlink = {
  readonly publish: (packet: Publish) => void;
  /** Handles PUBREL. Returns false if no PUBREL was expected. */
  readonly released: (packetId: number) => boolean;
  readonly stop: () => void;
};

export function startDownlink(settings: DownlinkSettings): Downlink {
  const { name, link, take, arrivals, pressure, clock, log } = settings;
  const filters = settings.filters.map(filter => plainFilter(filter) ?? filter);
  const origin: Origin = { kind: 'upstream', upstream: name };
  const acks = createOrderedAcks();
  /** Packet identifiers of QoS 2 messages that arrived on this link and whose PUBREC has not been sent. */
  const arriving = new Set<number>();
  let lastProblem: string | undefined;
  let readingPaused = false;
  let waitsForStore = false;
  let stopped = false;

  const updateReading = (): void => {
    if (pressure.high() && !waitsForStore) {
      waitsForStore = true;
      pressure.whenLow(() => {
        waitsForStore = false;
        if (!stopped) updateReading();
      });
    }
    // Unsent acknowledgements pause reading only if there are more than Receive Maximum. A pause also delays
    // the PUBACKs of outgoing messages, because PUBACKs arrive on the same socket.
    const full = waitsForStore || acks.pending() > MAX_DOWN_WINDOW;
    if (full === readingPaused) return;
    readingPaused = full;
    link.hold(full);
  };

  /** Delivers a message. If the delivery throws an exception, logs the exception and returns false. */
  const deliver = (message: Message, settle: OnDurable, note?: MetadataEntry): boolean => {
    try {
      take(message, settle, note);
      return true;
    } catch (thrown) {
      noteException(log, 'the delivery of a message from upstream', thrown);
      return false;
    }
  };

  /**
   * Delivers a message and calls `safe` when the message is durable. While the store is full, repeats the
   * delivery and does not acknowledge the message. Calls `lost` if the link is closed before the message is
   * durable.
   */
  const deliverUntilDurable = (
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
      if (deliver(message, settle, note)) return;
      exceptions++;
      if (exceptions < MAX_DELIVERY_EXCEPTIONS) clock.after(DOWN_RETRY_MS, offer);
      else {
        const topic = message.topic.slice(0, 128);
        log.error(
          `Discarded a message from upstream on "${topic}": its delivery failed ${exceptions} times in this hub.`,
        );
        safe();
      }
    };
    const settle: OnDurable = error => {
      if (error === undefined) {
        safe();
        return;
      }
      log.warn(`A message from upstream could not be stored and is retried: ${error.message}`);
      clock.after(DOWN_RETRY_MS, offer);
    };
    offer();
  };

  const reserveAck = (type: number, packetId: number): (() => void) => {
    const sendAck = acks.reserve(() => {
      if (!stopped) link.acknowledge(type, packetId);
    });
    updateReading();
    return () => {
      sendAck();
      if (!stopped) updateReading();
    };
  };

  /**
   * Registers a QoS 2 message. Returns undefined if the message is a duplicate, or if too many messages wait
   * for PUBREL.
   */
  const register = (packetId: number): InboundMessage | undefined => {
    if (arriving.has(packetId)) {
      link.unrequested('PUBLISH');
      return undefined;
    }
    if (arrivals.isFull(packetId)) {
      link.fail(`the server sent ${MAX_UNRELEASED} QoS 2 messages without PUBREL`);
      return undefined;
    }
    arriving.add(packetId);
    const sendAck = reserveAck(PUBREC, packetId);
    return arrivals.arrive(packetId, () => {
      arriving.delete(packetId);
      sendAck();
    });
  };

  const receive = (message: Message, packetId: number): void => {
    const arrival = register(packetId);
    if (arrival === undefined) return;
    const safe = (): void => arrivals.safe(arrival);
    deliverUntilDurable(message, arrivals.note(packetId), safe, () => arrivals.lost(arrival));
  };

  /**
   * Discards and acknowledges a message that can never be accepted. Without the acknowledgement, the server
   * would send the message again on every connection.
   */
  const discard = ({ qos, messageId }: Publish, problem: string): void => {
    if (problem !== lastProblem) log.warn(`Discarded a message from upstream: ${problem}.`);
    lastProblem = problem;
    if (qos === 1) reserveAck(PUBACK, messageId)();
    if (qos < 2) return;
    const arrival = register(messageId);
    if (arrival !== undefined) arrivals.safe(arrival);
  };

  const problemOf = (message: Message): string | undefined =>
    filters.some(filter => matches(filter, message.topic))
      ? messageProblem(message)
      : 'its topic matches no filter of "down"';

  return {
    publish: packet => {
      if (packet.properties?.topicAlias !== undefined) {
        link.fail('the server sent a topic alias, which the client did not allow');
        return;
      }
      updateReading();
      const message = messageOf(packet, origin);
      const problem = isTopicName(message.topic) ? problemOf(message) : 'its topic is not a valid topic name';
      if (problem !== undefined) discard(packet, problem);
      else if (packet.qos === 0) deliver(message, () => {});
      else if (packet.qos === 1)
        deliverUntilDurable(message, undefined, reserveAck(PUBACK, packet.messageId), () => {});
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
