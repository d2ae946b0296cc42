import type { Message } from '../../core/message.ts';
import { matches } from '../../core/topic-filter.ts';
import { sharedOf } from '../../mqtt/topics.ts';
import type { BrokerContext } from '../context.ts';
import { MAX_RETAINED_PER_TURN } from '../limits.ts';
import type { Session } from '../sessions/session.ts';
import type { DeliveryOptions } from '../sessions/subscriptions.ts';
import type { RetainedSource } from '../types.ts';
import { lowerQos, transmit } from './transmit.ts';
import type { NewSubscription, Receiver, RetainedReceiver, RetainedSender } from './types.ts';

/**
 * Cost of the search for the retained topics of one filter, in messages: during one search, this number of
 * messages could be sent.
 */
const FILTER_COST = MAX_RETAINED_PER_TURN / 8;

/**
 * Creates the sender of retained messages, which sends at most MAX_RETAINED_PER_TURN messages in one turn of
 * the event loop. Until all messages are sent, no packets of the client are handled. Therefore the number of
 * waiting subscriptions is limited.
 */
export function createRetainedSender(
  context: BrokerContext,
  connection: RetainedReceiver,
  session: Session,
): RetainedSender {
  const { clock, retained, host } = context;
  /** Subscriptions whose retained messages are not sent yet. */
  let filters: NewSubscription[] = [];
  /** Retained topics of the current subscription. */
  let topics: readonly string[] = [];
  /** Index in `topics` of the next topic whose retained message is sent. */
  let next = 0;
  let current: NewSubscription | undefined;
  let sending = false;

  /** Makes the next waiting subscription the current one. Returns false if no subscription waits. */
  const nextFilter = (): boolean => {
    current = filters.shift();
    topics = current === undefined ? [] : retainedTopics(retained, current.filter);
    next = 0;
    return current !== undefined;
  };

  /** Sends the next retained messages. Closes the connection after an exception. */
  const step = (): void => {
    if (connection.closed) return;
    try {
      sendSome();
    } catch (thrown) {
      connection.fail(thrown);
    }
  };

  /**
   * Sends at most MAX_RETAINED_PER_TURN messages. Pauses while the store or the socket cannot accept further
   * messages.
   */
  const sendSome = (): void => {
    for (let spent = 0; spent < MAX_RETAINED_PER_TURN; spent++) {
      const topic = topics[next];
      if (topic === undefined || current === undefined) {
        if (!nextFilter()) {
          resumeHandling();
          return;
        }
        spent += FILTER_COST;
        continue;
      }
      if (host.pressure.high()) {
        host.pressure.whenLow(step);
        return;
      }
      if (!sendOne(context, connection, session, topic, current)) {
        connection.whenDrained(step);
        return;
      }
      next++;
    }
    clock.after(0, step);
  };

  /** Resumes the handling of the client's packets. */
  const resumeHandling = (): void => {
    sending = false;
    connection.resume();
  };

  return {
    add: added => {
      if (!host.limits().retained) return;
      // A shared subscription gets no retained messages (MQTT 5, 4.8.2).
      filters = [...filters, ...added.filter(({ filter }) => sharedOf(filter) === undefined)];
      if (sending || filters.length === 0) return;
      sending = true;
      connection.pause();
      step();
    },
  };
}

/** Sends or enqueues the retained message of a topic. Returns false if the output buffer is full. */
function sendOne(
  { host, counts, retained }: BrokerContext,
  connection: Receiver,
  session: Session,
  topic: string,
  { qos: granted, id }: NewSubscription,
): boolean {
  const found = retained.get(topic);
  if (found === undefined) return true;
  if (session.restricted && !host.mayReceive(session.identity, session.clientId, topic)) return true;
  const { remaining } = found;
  const message: Message = { ...found.message, ttl: remaining };
  const options: DeliveryOptions = {
    qos: granted,
    retainAsPublished: true,
    ids: id === undefined ? [] : [id],
  };
  const qos = lowerQos(granted, message.qos);
  if (qos === 0)
    return (
      transmit(counts, connection, message, { topic, qos, packetId: 0, dup: false, options, remaining }) !==
      'full'
    );
  if (!session.persistent && session.delivery?.offer(message, options) === true) return true;
  host.enqueue(message, session.queue, error => {
    if (error !== undefined) counts.dropped++;
  });
  return true;
}

/**
 * Returns the topics with a retained message that match a filter. If the filter has no wildcard, returns the
 * filter itself, even if no message is retained on this topic.
 */
function retainedTopics(retained: RetainedSource, filter: string): readonly string[] {
  const wildcard = filter.search(/[+#]/);
  if (wildcard < 0) return [filter];
  // The `/` before the wildcard is not part of the prefix, because `a/#` also matches `a`.
  const prefix = filter.slice(0, Math.max(0, wildcard - 1));
  return retained.topics(prefix).filter(topic => matches(filter, topic));
}
