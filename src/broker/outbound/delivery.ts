import type { Message, QoS } from '../../core/message.ts';
import { PUBREL } from '../../mqtt/acknowledgement.ts';
import { createInFlight, packetIdOf } from '../../mqtt/inflight.ts';
import { REASON } from '../../mqtt/reasons.ts';
import type { Drain, DrainSettings, QueueEntry } from '../../queue/types.ts';
import type { BrokerContext } from '../context.ts';
import { MAX_IN_FLIGHT } from '../limits.ts';
import type { Session } from '../sessions/session.ts';
import type { DeliveryOptions } from '../sessions/subscriptions.ts';
import type { Backlog } from './backlog.ts';
import { createBacklog } from './backlog.ts';
import { canSend, lowerQos, transmit } from './transmit.ts';
import type { Delivery, QueueSource, Receiver } from './types.ts';

/** Message that is sent and not acknowledged. */
type InFlightMessage = {
  readonly qos: QoS;
  /** Queue that contains the message. Undefined if the message is not stored. */
  readonly source: QueueSource | undefined;
  /** Sequence number of the queue entry. 0 if the message is not stored. */
  readonly sequence: number;
};

/** QoS 1 message that is not stored in a queue. */
const NOT_STORED_QOS1: InFlightMessage = { qos: 1, source: undefined, sequence: 0 };

/** QoS 2 message that is not stored in a queue, or was removed from its queue after PUBREC. */
const NOT_STORED_QOS2: InFlightMessage = { qos: 2, source: undefined, sequence: 0 };

/**
 * Creates the delivery of a session's messages on one connection. `receiveMaximum` is the client's Receive
 * Maximum (MQTT 5, 3.1.2.11.3).
 */
export function createDelivery(
  context: BrokerContext,
  connection: Receiver,
  session: Session,
  receiveMaximum: number,
): Delivery {
  const { host, clock, sessions, counts } = context;
  const limit = Math.min(receiveMaximum, MAX_IN_FLIGHT);
  /** Queues whose messages are sent on this connection, by name. */
  const sources = new Map<string, QueueSource>();
  /** Messages that are sent and not acknowledged, by packet identifier. */
  const window = createInFlight<InFlightMessage>();
  /**
   * True if the client has the maximum number of unacknowledged messages. No QoS 1 or 2 message is sent until
   * an acknowledgement arrives (MQTT 5, 4.9).
   */
  const isFull = (): boolean => window.size() >= limit;
  // Reserves the packet identifiers of QoS 2 messages whose PUBREC has arrived. Such an identifier must not
  // be reused before PUBCOMP, even if the PUBREC is not on disk yet.
  for (const packetId of session.outboundQos2.keys()) window.set(packetId, NOT_STORED_QOS2);
  /** Messages that wait in memory. Created for the first message that cannot be sent immediately. */
  let backlog: Backlog | undefined;
  /** True after the backlog was full. From then on, all new messages are stored in the session's queue. */
  let spilled = false;
  /** True if a queue has a message that waits until earlier messages are sent or acknowledged. */
  let sourceWaits = false;
  /** Number of calls of `wakeSources`. Determines the queue with which the next call begins. */
  let round = 0;
  let stopped = false;

  /**
   * Returns the delivery options of a queued message according to the current subscriptions. If no current
   * subscription matches, the options contain the QoS of the message itself. Undefined if access rules deny
   * the topic.
   */
  const optionsFor = (topic: string, { qos }: Message): DeliveryOptions | undefined => {
    const found = sessions.subscriptions.match(topic).get(session);
    if (found !== undefined) return found;
    if (!host.mayReceive(session.identity, session.clientId, topic)) return undefined;
    return { qos, retainAsPublished: false, ids: [] };
  };

  /**
   * Sends an entry of a queue. Returns false if the output buffer is full or too many messages are
   * unacknowledged. Removes the entry if the client will not acknowledge it: at QoS 0, if access rules deny
   * the message, or if the packet is too large for the client.
   */
  const send = (source: QueueSource, entry: QueueEntry): boolean => {
    const { message, redelivered, remaining } = entry;
    const options = source.optionsFor(message);
    if (options === undefined) {
      counts.refused++;
      source.drain.acknowledge(entry);
      return true;
    }
    const qos = lowerQos(options.qos, message.qos);
    const topic = source.topic ?? message.topic;
    if (qos === 0) {
      const outcome = transmit(counts, connection, message, {
        topic,
        qos,
        packetId: 0,
        dup: false,
        options,
        remaining,
      });
      if (outcome === 'full') return false;
      source.drain.acknowledge(entry);
      return true;
    }
    if (isFull()) {
      sourceWaits = true;
      return false;
    }
    if (qos === 2 && session.outboundQos2.get(packetIdOf(entry.sequence))?.sequence === entry.sequence) {
      source.drain.acknowledge(entry);
      return true;
    }
    const { sequence } = entry;
    const inFlight = { qos, source, sequence };
    const packetId = window.take(inFlight, packetIdOf(sequence));
    if (packetId === 0) {
      sourceWaits = true;
      return false;
    }
    const outcome = transmit(counts, connection, message, {
      topic,
      qos,
      packetId,
      dup: redelivered,
      options,
      remaining,
    });
    if (outcome === 'sent') return true;
    window.release(packetId);
    if (outcome === 'tooLarge') source.drain.acknowledge(entry);
    return outcome === 'tooLarge';
  };

  /**
   * Sends a message that is not stored in a queue. Returns false if the output buffer is full or too many
   * messages are unacknowledged.
   */
  const sendUnstored = (message: Message, options: DeliveryOptions, since: number): boolean => {
    if (isFull()) return false;
    const qos = lowerQos(options.qos, message.qos);
    const remaining = message.ttl === undefined ? undefined : since + message.ttl - clock.monotonic();
    if (remaining !== undefined && remaining <= 0) return true;
    const packetId = qos === 0 ? 0 : window.take(qos === 2 ? NOT_STORED_QOS2 : NOT_STORED_QOS1);
    const { topic } = message;
    const outcome = transmit(counts, connection, message, {
      topic,
      qos,
      packetId,
      dup: false,
      options,
      remaining,
    });
    if (outcome !== 'sent' && packetId > 0) window.release(packetId);
    return outcome !== 'full';
  };

  /** Sends messages of the backlog until the backlog is empty or a message cannot be sent. */
  const sendBacklog = (): void => {
    for (let next = backlog?.first(); next !== undefined; next = backlog?.first()) {
      const options = optionsFor(next.message.topic, next.message);
      if (options !== undefined && !sendUnstored(next.message, options, next.since)) return;
      backlog?.shift();
    }
  };

  /**
   * Continues the delivery of all queues. Each call begins with a different queue, so that a long queue does
   * not starve the other queues.
   */
  const wakeSources = (): void => {
    sourceWaits = false;
    const drains = Array.from(sources.values(), ({ drain }) => drain);
    const first = round++ % Math.max(drains.length, 1);
    for (const drain of [...drains.slice(first), ...drains.slice(0, first)]) drain.wake();
    sessions.deliveryChanged(session);
  };

  /** Called after an acknowledgement. Sends waiting messages. */
  const sendWaiting = (): void => {
    if (stopped) return;
    sendBacklog();
    if (sourceWaits) wakeSources();
  };

  const attach: Delivery['attach'] = (name, open, topic) => {
    if (sources.has(name) || stopped) return;
    const drain = open({ window: limit, send: entry => send(source, entry) });
    const source: QueueSource = {
      drain,
      topic,
      optionsFor: message => optionsFor(topic ?? message.topic, message),
      requeue: undefined,
    };
    sources.set(name, source);
    drain.wake();
  };

  /**
   * Called when the backlog is full. Starts the delivery of the session's queue. Messages in the queue are
   * newer than messages in the backlog, and are sent after the backlog is empty.
   */
  const spill = (): void => {
    spilled = true;
    const drainAfterBacklog = (settings: DrainSettings): Drain =>
      host.drain(session.queue, {
        ...settings,
        send: entry => {
          sourceWaits = backlog?.first() !== undefined;
          return !sourceWaits && settings.send(entry);
        },
      });
    attach(session.queue, drainAfterBacklog, undefined);
  };

  const release = (packetId: number): void => {
    if (stopped) return;
    window.set(packetId, NOT_STORED_QOS2);
    connection.acknowledge(PUBREL, packetId, REASON.success);
  };

  /**
   * Handles the first PUBREC of a message. Removes the message from its queue, then sends PUBREL
   * [MQTT-4.3.3-8].
   */
  const removeAndRelease = (packetId: number, source: QueueSource, sequence: number): void => {
    const exchange = { sequence, stored: false };
    session.outboundQos2.set(packetId, exchange);
    window.set(packetId, NOT_STORED_QOS2);
    if (session.persistent) host.sessions.saveReleased(session.id, packetId, sequence);
    source.drain.acknowledge({ sequence }, error => {
      if (error !== undefined) return;
      exchange.stored = true;
      session.delivery?.release(packetId);
    });
  };

  /** Removes an acknowledged message from its queue, and sends waiting messages. */
  const finish = (inFlight: InFlightMessage): void => {
    sendWaiting();
    inFlight.source?.drain.acknowledge(inFlight);
  };

  return {
    attach,
    detach: name => {
      sources.get(name)?.drain.stop();
      sources.delete(name);
    },
    send,
    offer: (message, options) => {
      if (stopped || spilled) return false;
      const since = clock.monotonic();
      if (backlog?.first() === undefined && sendUnstored(message, options, since)) return true;
      backlog ??= createBacklog(context.backlog);
      if (backlog.push(message, since)) return true;
      spill();
      return false;
    },
    ready: () => !isFull() && backlog?.first() === undefined && !spilled && canSend(connection),
    forward: (bytes, start, end, idAt) => {
      const packetId = window.take(NOT_STORED_QOS1);
      const at = connection.output.place(end - start);
      const slab = connection.output.slab();
      bytes.copy(slab, at, start, end);
      slab[at + idAt - start] = packetId >> 8;
      slab[at + idAt - start + 1] = packetId & 0xff;
      counts.sent++;
    },
    puback: packetId => {
      if (window.get(packetId)?.qos !== 1) return;
      const inFlight = window.release(packetId);
      if (inFlight !== undefined) finish(inFlight);
    },
    pubrec: (packetId, reasonCode) => {
      const inFlight = window.get(packetId);
      if (inFlight === undefined || inFlight.qos !== 2) {
        // The packet identifier is unknown to the broker. PUBREL makes the client discard the packet
        // identifier. After a PUBREC with an error code, the client has already discarded it [MQTT-4.3.3-4].
        if (reasonCode < REASON.unspecifiedError)
          connection.acknowledge(PUBREL, packetId, REASON.packetIdentifierNotFound);
      } else if (reasonCode >= REASON.unspecifiedError) {
        window.release(packetId);
        finish(inFlight);
      } else if (inFlight.source !== undefined) {
        removeAndRelease(packetId, inFlight.source, inFlight.sequence);
      } else if (session.outboundQos2.get(packetId)?.stored !== false) {
        connection.acknowledge(PUBREL, packetId, REASON.success);
      }
    },
    pubcomp: packetId => {
      if (window.get(packetId)?.qos !== 2) return;
      window.release(packetId);
      if (session.outboundQos2.delete(packetId) && session.persistent)
        host.sessions.removeReleased(session.id, packetId);
      sendWaiting();
    },
    release,
    wake: () => {
      if (stopped) return;
      sendBacklog();
      wakeSources();
    },
    stop: () => {
      if (stopped) return;
      stopped = true;
      // Returns unacknowledged messages to the queue of a shared group, so that another member receives them.
      // All other messages stay in their queues, and are sent again when the client reconnects.
      for (const { source, sequence } of window.all()) source?.requeue?.({ sequence });
      for (const { drain } of sources.values()) drain.stop();
      sources.clear();
      backlog?.clear();
      backlog = undefined;
    },
  };
}
