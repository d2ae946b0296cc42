import type { Message, QoS } from '../../core/message.ts';
import { matches, sharedOf } from '../../mqtt/topics.ts';
import type { BrokerContext, Connection } from '../connection.ts';
import type { Session } from '../sessions/session.ts';
import type { Allowance } from '../sessions/subscriptions.ts';
import { lesser, transmit } from './transmit.ts';

/** A subscription that was just made. */
export type Fresh = { readonly topic: string; readonly qos: QoS };

/**
 * Sends the messages that were retained for new subscriptions (MQTT 5, 3.3.1.3). While the client does not keep up
 * nothing more is taken in from it, so that what waits for it stays one list of topics.
 */
export function sendRetained(
  connection: Connection,
  session: Session,
  fresh: readonly Fresh[],
  id: number | undefined,
): void {
  const { retained } = connection.context;
  const topics = fresh.flatMap(({ topic: filter, qos }) =>
    retainedTopics(retained, filter).map(topic => ({ topic, qos })),
  );
  const ids = id === undefined ? [] : [id];
  let next = 0;
  const sendOn = (): void => {
    for (let one = topics[next]; one !== undefined && !connection.closed; one = topics[++next]) {
      if (sendOne(connection, session, one.topic, { qos: one.qos, retainAsPublished: true, ids })) continue;
      connection.hold();
      connection.onDrained = sendOn;
      return;
    }
    if (connection.onDrained === undefined) return;
    connection.onDrained = undefined;
    connection.resume();
  };
  sendOn();
}

/** False: not now. */
function sendOne(connection: Connection, session: Session, topic: string, allowance: Allowance): boolean {
  const found = connection.context.retained.get(topic);
  if (found === undefined) return true;
  const { remaining } = found;
  const message: Message = { ...found.message, ttl: remaining };
  const qos = lesser(allowance.qos, message.qos);
  if (qos === 0)
    return (
      transmit(connection, message, { topic, qos, packetId: 0, dup: false, allowance, remaining }) !== 'full'
    );
  if (!session.persistent && session.delivery?.offer(message, allowance) === true) return true;
  const { host, counts } = connection.context;
  host.enqueue(message, session.queue, error => {
    if (error !== undefined) counts.dropped++;
  });
  return true;
}

/** Topics of retained messages that a filter takes in; a shared subscription gets none (MQTT 5, 4.8.2). */
function retainedTopics(retained: BrokerContext['retained'], filter: string): readonly string[] {
  if (sharedOf(filter) !== undefined) return [];
  const wildcard = filter.search(/[+#]/);
  if (wildcard < 0) return [filter];
  // `a/#` takes in `a`, too.
  const prefix = filter.slice(0, Math.max(0, wildcard - 1));
  return retained.topics(prefix).filter(topic => matches(filter, topic));
}
