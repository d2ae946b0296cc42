import type { Message } from '../../core/message.ts';
import { matches } from '../../core/topic-filter.ts';
import { sharedOf } from '../../mqtt/topics.ts';
import type { BrokerContext } from '../context.ts';
import { MAX_RETAINED_PER_TURN } from '../limits.ts';
import type { Session } from '../sessions/session.ts';
import type { Allowance } from '../sessions/subscriptions.ts';
import type { RetainedSource } from '../types.ts';
import { lesser, transmit } from './transmit.ts';
import type { NewSubscription, Receiver, RetainedReceiver, RetainedSender } from './types.ts';

/** Cost of the search of all topics for one filter, in messages that could be sent in that time. */
const FILTER_COST = MAX_RETAINED_PER_TURN / 8;

/**
 * Creates the sender. It sends in bounded steps, filter by filter. The client's packets are not handled
 * meanwhile, so that only one list of topics is pending.
 */
export function createRetainedSender(
  context: BrokerContext,
  connection: RetainedReceiver,
  session: Session,
): RetainedSender {
  const { clock, retained, host } = context;
  let filters: NewSubscription[] = [];
  let topics: readonly string[] = [];
  let next = 0;
  let current: NewSubscription | undefined;
  let sending = false;

  /** Advances to the next subscription. Returns false if there is none. */
  const nextFilter = (): boolean => {
    current = filters.shift();
    topics = current === undefined ? [] : retainedTopics(retained, current.filter);
    next = 0;
    return current !== undefined;
  };

  const step = (): void => {
    if (connection.closed) return;
    try {
      sendSome();
    } catch (thrown) {
      connection.fail(thrown);
    }
  };

  const sendSome = (): void => {
    for (let spent = 0; spent < MAX_RETAINED_PER_TURN; spent++) {
      const topic = topics[next];
      if (topic === undefined || current === undefined) {
        if (!nextFilter()) {
          end();
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

  const end = (): void => {
    sending = false;
    connection.resume();
  };

  return {
    add: fresh => {
      if (!host.limits().retained) return;
      filters = [...filters, ...fresh.filter(({ filter }) => sharedOf(filter) === undefined)];
      if (sending || filters.length === 0) return;
      sending = true;
      connection.pause();
      step();
    },
  };
}

/** Sends one retained message. Returns false if the socket is full. */
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
  const allowance: Allowance = { qos: granted, retainAsPublished: true, ids: id === undefined ? [] : [id] };
  const qos = lesser(granted, message.qos);
  if (qos === 0)
    return (
      transmit(counts, connection, message, { topic, qos, packetId: 0, dup: false, allowance, remaining }) !==
      'full'
    );
  if (!session.persistent && session.delivery?.offer(message, allowance) === true) return true;
  host.enqueue(message, session.queue, error => {
    if (error !== undefined) counts.dropped++;
  });
  return true;
}

/** Topics of retained messages that match a filter. A shared subscription gets none (MQTT 5, 4.8.2). */
function retainedTopics(retained: RetainedSource, filter: string): readonly string[] {
  const wildcard = filter.search(/[+#]/);
  if (wildcard < 0) return [filter];
  // `a/#` also matches `a`.
  const prefix = filter.slice(0, Math.max(0, wildcard - 1));
  return retained.topics(prefix).filter(topic => matches(filter, topic));
}
