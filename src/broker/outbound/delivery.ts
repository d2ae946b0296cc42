import type { Message, QoS } from '../../core/message.ts';
import { PUBREL } from '../../mqtt/acknowledgement.ts';
import { createInFlight, packetIdOf } from '../../mqtt/inflight.ts';
import { REASON } from '../../mqtt/reasons.ts';
import type { Drain, DrainSettings, QueueEntry } from '../../queue/types.ts';
import type { BrokerContext } from '../context.ts';
import { MAX_IN_FLIGHT } from '../limits.ts';
import type { Session } from '../sessions/session.ts';
import type { Allowance } from '../sessions/subscriptions.ts';
import type { Backlog } from './backlog.ts';
import { createBacklog } from './backlog.ts';
import { keepsUp, lesser, transmit } from './transmit.ts';
import type { Delivery, QueueSource, Receiver } from './types.ts';

/** Message of a packet identifier: a queue entry, or a message that is not stored. */
type Flight = {
  readonly qos: QoS;
  readonly source: QueueSource | undefined;
  readonly sequence: number;
};

const UNKEPT_1: Flight = { qos: 1, source: undefined, sequence: 0 };
const UNKEPT_2: Flight = { qos: 2, source: undefined, sequence: 0 };

/** Creates the delivery. `receiveMaximum` is the client's (MQTT 5, 3.1.2.11.3). */
export function createDelivery(
  context: BrokerContext,
  connection: Receiver,
  session: Session,
  receiveMaximum: number,
): Delivery {
  const { host, clock, sessions, counts } = context;
  const limit = Math.min(receiveMaximum, MAX_IN_FLIGHT);
  const sources = new Map<string, QueueSource>();
  const window = createInFlight<Flight>();
  /** True if the client's window is full (MQTT 5, 4.9). */
  const isFull = (): boolean => window.size() >= limit;
  // Reserves released identifiers, also those whose PUBREC is not on disk yet, because they must not be
  // reused meanwhile.
  for (const packetId of session.released.keys()) window.set(packetId, UNKEPT_2);
  /** Created only for a slow client. */
  let backlog: Backlog | undefined;
  /** True after the backlog was full: later messages go to the session's queue behind it. */
  let spilled = false;
  /** True if a source waits for the window. */
  let starved = false;
  let turn = 0;
  let stopped = false;

  /**
   * Delivery options of a queued message, by the current subscriptions, or as published. Undefined if the
   * client may no longer receive it.
   */
  const allowanceFor = (topic: string, { qos }: Message): Allowance | undefined => {
    const found = sessions.subscriptions.match(topic).get(session);
    if (found !== undefined) return found;
    if (!host.mayReceive(session.identity, session.clientId, topic)) return undefined;
    return { qos, retainAsPublished: false, ids: [] };
  };

  const send = (source: QueueSource, entry: QueueEntry): boolean => {
    const { message, redelivered, remaining } = entry;
    const allowance = source.allowance(message);
    if (allowance === undefined) {
      counts.refused++;
      source.drain.acknowledge(entry);
      return true;
    }
    const qos = lesser(allowance.qos, message.qos);
    const topic = source.topic ?? message.topic;
    if (qos === 0) {
      const sent = transmit(counts, connection, message, {
        topic,
        qos,
        packetId: 0,
        dup: false,
        allowance,
        remaining,
      });
      if (sent === 'full') return false;
      source.drain.acknowledge(entry);
      return true;
    }
    if (isFull()) {
      starved = true;
      return false;
    }
    if (qos === 2 && session.released.get(packetIdOf(entry.sequence))?.sequence === entry.sequence) {
      source.drain.acknowledge(entry);
      return true;
    }
    const { sequence } = entry;
    const flight = { qos, source, sequence };
    const packetId = window.take(flight, packetIdOf(sequence));
    if (packetId === 0) {
      starved = true;
      return false;
    }
    const outcome = transmit(counts, connection, message, {
      topic,
      qos,
      packetId,
      dup: redelivered,
      allowance,
      remaining,
    });
    if (outcome === 'sent') return true;
    window.release(packetId);
    if (outcome === 'tooLarge') source.drain.acknowledge(entry);
    return outcome === 'tooLarge';
  };

  /** Sends a message that is not stored. Returns false if the window is full. */
  const sendUnkept = (message: Message, allowance: Allowance, since: number): boolean => {
    if (isFull()) return false;
    const qos = lesser(allowance.qos, message.qos);
    const remaining = message.ttl === undefined ? undefined : since + message.ttl - clock.monotonic();
    if (remaining !== undefined && remaining <= 0) return true;
    const packetId = qos === 0 ? 0 : window.take(qos === 2 ? UNKEPT_2 : UNKEPT_1);
    const { topic } = message;
    const outcome = transmit(counts, connection, message, {
      topic,
      qos,
      packetId,
      dup: false,
      allowance,
      remaining,
    });
    if (outcome !== 'sent' && packetId > 0) window.release(packetId);
    return outcome !== 'full';
  };

  const sendBacklog = (): void => {
    for (let next = backlog?.first(); next !== undefined; next = backlog?.first()) {
      const allowance = allowanceFor(next.message.topic, next.message);
      if (allowance !== undefined && !sendUnkept(next.message, allowance, next.since)) return;
      backlog?.shift();
    }
  };

  /** Wakes the sources round-robin, because a long queue must not starve the others. */
  const wakeSources = (): void => {
    starved = false;
    const drains = Array.from(sources.values(), ({ drain }) => drain);
    const first = turn++ % Math.max(drains.length, 1);
    for (const drain of [...drains.slice(first), ...drains.slice(0, first)]) drain.wake();
    sessions.deliveryChanged(session);
  };

  /** Called when the window has space again. */
  const freed = (): void => {
    if (stopped) return;
    sendBacklog();
    if (starved) wakeSources();
  };

  const attach: Delivery['attach'] = (name, open, topic) => {
    if (sources.has(name) || stopped) return;
    const drain = open({ window: limit, send: entry => send(source, entry) });
    const source: QueueSource = {
      drain,
      topic,
      allowance: message => allowanceFor(topic ?? message.topic, message),
      giveBack: undefined,
    };
    sources.set(name, source);
    drain.wake();
  };

  const spill = (): void => {
    spilled = true;
    const behind = (settings: DrainSettings): Drain =>
      host.drain(session.queue, {
        ...settings,
        send: entry => {
          starved = backlog?.first() !== undefined;
          return !starved && settings.send(entry);
        },
      });
    attach(session.queue, behind, undefined);
  };

  const release = (packetId: number): void => {
    if (stopped) return;
    window.set(packetId, UNKEPT_2);
    connection.acknowledge(PUBREL, packetId, REASON.success);
  };

  /** Handles PUBREC: removes the message from its queue, and then sends PUBREL [MQTT-4.3.3-8]. */
  const received = (packetId: number, source: QueueSource, sequence: number): void => {
    const released = { sequence, kept: false };
    session.released.set(packetId, released);
    window.set(packetId, UNKEPT_2);
    if (session.persistent) host.sessions.saveReleased(session.id, packetId, sequence);
    source.drain.acknowledge({ sequence }, error => {
      if (error !== undefined) return;
      released.kept = true;
      session.delivery?.release(packetId);
    });
  };

  const finish = (flight: Flight): void => {
    freed();
    flight.source?.drain.acknowledge(flight);
  };

  return {
    attach,
    detach: name => {
      sources.get(name)?.drain.stop();
      sources.delete(name);
    },
    send,
    offer: (message, allowance) => {
      if (stopped || spilled) return false;
      const since = clock.monotonic();
      if (backlog?.first() === undefined && sendUnkept(message, allowance, since)) return true;
      backlog ??= createBacklog(context.backlog);
      if (backlog.push(message, since)) return true;
      spill();
      return false;
    },
    ready: () => !isFull() && backlog?.first() === undefined && !spilled && keepsUp(connection),
    pass: (bytes, start, end, idAt) => {
      const packetId = window.take(UNKEPT_1);
      const at = connection.output.place(end - start);
      const slab = connection.output.slab();
      bytes.copy(slab, at, start, end);
      slab[at + idAt - start] = packetId >> 8;
      slab[at + idAt - start + 1] = packetId & 0xff;
      counts.sent++;
    },
    puback: packetId => {
      if (window.get(packetId)?.qos !== 1) return;
      const flight = window.release(packetId);
      if (flight !== undefined) finish(flight);
    },
    pubrec: (packetId, reasonCode) => {
      const flight = window.get(packetId);
      if (flight === undefined || flight.qos !== 2) {
        // Unknown identifier: the client must release it too, and has done so if PUBREC had an error
        // [MQTT-4.3.3-4].
        if (reasonCode < REASON.unspecifiedError)
          connection.acknowledge(PUBREL, packetId, REASON.packetIdentifierNotFound);
      } else if (reasonCode >= REASON.unspecifiedError) {
        window.release(packetId);
        finish(flight);
      } else if (flight.source !== undefined) {
        received(packetId, flight.source, flight.sequence);
      } else if (session.released.get(packetId)?.kept !== false) {
        connection.acknowledge(PUBREL, packetId, REASON.success);
      }
    },
    pubcomp: packetId => {
      if (window.get(packetId)?.qos !== 2) return;
      window.release(packetId);
      if (session.released.delete(packetId) && session.persistent)
        host.sessions.removeReleased(session.id, packetId);
      freed();
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
      // Messages of shared queues are returned to them; the others are redelivered on the next connection.
      for (const { source, sequence } of window.all()) source?.giveBack?.({ sequence });
      for (const { drain } of sources.values()) drain.stop();
      sources.clear();
      backlog?.clear();
      backlog = undefined;
    },
  };
}
