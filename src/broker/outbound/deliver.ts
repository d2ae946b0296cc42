import { noteException } from '../../core/containment.ts';
import type { Message } from '../../core/message.ts';
import type { BrokerContext } from '../context.ts';
import { isOwn } from '../inbound/publication.ts';
import type { Session } from '../sessions/session.ts';
import type { SharedGroup } from '../sessions/shared.ts';
import { allowanceOf, inTurn } from '../sessions/shared.ts';
import type { Allowance } from '../sessions/subscriptions.ts';
import type { BrokerCounts } from '../types.ts';
import type { Rendering } from './transmit.ts';
import { createRendering, lesser, transmit, transmitBytes } from './transmit.ts';

/** Part of a broker's context that a delivery needs. */
export type DeliveryContext = Pick<BrokerContext, 'sessions' | 'counts' | 'log'>;

/** Queues in which a message must become durable. */
export type Durable = string[];

/**
 * Delivers a message to its subscribers: sends to sessions in memory, and adds the queues of durable
 * subscribers to `durable`. Returns the number of subscribers.
 */
export function deliver(
  { sessions, counts, log }: DeliveryContext,
  message: Message,
  durable: Durable,
): number {
  const { all } = sessions.subscriptions.match(message.topic);
  const rendering = all.length > 1 ? createRendering(message) : undefined;
  let takers = 0;
  for (const { subscriber, grant } of all) {
    if (subscriber.kind === 'group') {
      takers++;
      if (!deliverToOne(counts, subscriber, message, durable)) counts.dropped++;
      continue;
    }
    const allowance = isOwn(subscriber, message) ? grant.own : grant;
    if (allowance === undefined) continue;
    takers++;
    try {
      if (!deliverTo(counts, subscriber, allowance, message, rendering, durable)) counts.dropped++;
    } catch (thrown) {
      // An exception for one subscriber does not affect the others.
      counts.dropped++;
      noteException(log, 'the delivery of a message', thrown, { client: subscriber.clientId });
    }
  }
  return takers;
}

/**
 * Delivers a message to a session. Returns false if it is dropped: QoS 0 goes only to connected clients that
 * keep up (MQTT 5, 4.3.1).
 */
function deliverTo(
  counts: BrokerCounts,
  session: Session,
  allowance: Allowance,
  message: Message,
  rendering: Rendering | undefined,
  durable: Durable,
): boolean {
  const qos = lesser(allowance.qos, message.qos);
  if (qos > 0) {
    if (session.persistent || session.delivery?.offer(message, allowance) !== true)
      durable.push(session.queue);
    return true;
  }
  const { connection } = session;
  if (connection === undefined) return false;
  const { aliases, maximumPacketSize, version } = connection;
  const shared = aliases === undefined && maximumPacketSize === Number.POSITIVE_INFINITY;
  const bytes = shared ? rendering?.bytesFor(version, allowance) : undefined;
  if (bytes !== undefined) return transmitBytes(counts, connection, bytes, 1);
  const { topic, ttl } = message;
  const sending = { topic, qos, packetId: 0, dup: false, allowance, remaining: ttl };
  // Packets that are too large are counted in `transmit`.
  return transmit(counts, connection, message, sending) !== 'full';
}

/** Selects the next member of a shared group, preferably an online one (MQTT 5, 4.8.2). */
function deliverToOne(counts: BrokerCounts, group: SharedGroup, message: Message, durable: Durable): boolean {
  const members = inTurn(group, message.topic);
  const member = members.find(({ connection }) => connection !== undefined) ?? members[0];
  const allowance = member && allowanceOf(group, member);
  if (member === undefined || allowance === undefined) return false;
  // A QoS 2 message is assigned to one member at once, because it must reach exactly one [MQTT-4.8.2-4];
  // other messages wait for any member.
  if (lesser(allowance.qos, message.qos) === 1) {
    durable.push(group.queue);
    return true;
  }
  group.turn++;
  return deliverTo(counts, member, allowance, message, undefined, durable);
}
