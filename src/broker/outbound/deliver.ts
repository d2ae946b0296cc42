import { noteException } from '../../core/containment.ts';
import type { Message } from '../../core/message.ts';
import type { BrokerContext } from '../context.ts';
import { isOwn } from '../inbound/publication.ts';
import type { Session } from '../sessions/session.ts';
import type { SharedGroup } from '../sessions/shared.ts';
import { allowanceOf, inTurn } from '../sessions/shared.ts';
import type { Allowance } from '../sessions/subscriptions.ts';
import type { Rendering } from './transmit.ts';
import { createRendering, lesser, transmit, transmitBytes } from './transmit.ts';

/** All of a broker but what is retained. */
export type DeliveryContext = Omit<BrokerContext, 'retained'>;

/** The queues that a message must go to, to be safe. */
export type Durable = string[];

/**
 * Hands a message to its subscribers: at once to those that live in memory; the queues of those that must have it
 * durably are added to `durable`. Returns how many subscribers there are.
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
      if (!deliverToOne(subscriber, message, durable)) counts.dropped++;
      continue;
    }
    const allowance = isOwn(subscriber, message) ? grant.own : grant;
    if (allowance === undefined) continue;
    takers++;
    try {
      if (!deliverTo(subscriber, allowance, message, rendering, durable)) counts.dropped++;
    } catch (thrown) {
      // The message is at fault, and reaches the others all the same.
      counts.dropped++;
      noteException(log, 'the delivery of a message', thrown, { client: subscriber.clientId });
    }
  }
  return takers;
}

/** False: the message is dropped, as QoS 0 is for who is there and keeps up (MQTT 5, 4.3.1). */
function deliverTo(
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
  if (bytes !== undefined) return transmitBytes(connection, bytes, 1);
  const { topic, ttl } = message;
  const sending = { topic, qos, packetId: 0, dup: false, allowance, remaining: ttl };
  // What is too large is counted where that is seen.
  return transmit(connection, message, sending) !== 'full';
}

/** Picks the member whose turn it is, an online one if there is one (MQTT 5, 4.8.2). */
function deliverToOne(group: SharedGroup, message: Message, durable: Durable): boolean {
  const members = inTurn(group, message.topic);
  const member = members.find(({ connection }) => connection !== undefined) ?? members[0];
  const allowance = member && allowanceOf(group, member);
  if (member === undefined || allowance === undefined) return false;
  // A QoS 2 message is one member's from the start, to be exactly one's [MQTT-4.8.2-4]; others wait for any of them.
  if (lesser(allowance.qos, message.qos) === 1) {
    durable.push(group.queue);
    return true;
  }
  group.turn++;
  return deliverTo(member, allowance, message, undefined, durable);
}
