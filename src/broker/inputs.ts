import type { QoS } from '../core/message.ts';
import { matches } from '../mqtt/topics.ts';
import type { Connection } from './connection.ts';
import type { Session } from './session.ts';

/** QoS of what waits in a session's own queue: it went there because it is owed an acknowledgement. */
const QUEUED_QOS: QoS = 1;

/** Begins to send what waits for a session that just connected. */
export function attachBacklog(connection: Connection, session: Session): void {
  const { host } = connection.context;
  if (session.persistent) {
    const { queue } = session;
    connection.delivery.attach(queue, settings => host.drain(queue, settings), undefined, QUEUED_QOS);
  } else {
    connection.delivery.attach('backlog', session.backlog.drain, undefined, QUEUED_QOS);
  }
  attachInputs(connection, session);
}

/** Begins to send the module inputs that the session is subscribed to by now, and ends the others. */
export function attachInputs(connection: Connection, session: Session): void {
  const { host } = connection.context;
  for (const { topic, queue } of host.endpoints(session.identity)) {
    const qos = grantedFor(session, topic);
    if (qos === undefined) connection.delivery.detach(queue);
    else connection.delivery.attach(queue, settings => host.drain(queue, settings), topic, qos);
  }
}

function grantedFor(session: Session, topic: string): QoS | undefined {
  let granted: QoS | undefined;
  for (const [filter, qos] of session.subscriptions) {
    if (matches(filter, topic) && (granted === undefined || granted < qos)) granted = qos;
  }
  return granted;
}
