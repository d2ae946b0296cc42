import type { BrokerContext } from '../context.ts';
import type { Session } from '../sessions/session.ts';

/** Starts the delivery of the queue of a persistent session whose client has connected. */
export function attachQueue(session: Session, { host }: Pick<BrokerContext, 'host'>): void {
  const { delivery, queue, persistent } = session;
  if (persistent) delivery?.attach(queue, settings => host.drain(queue, settings), undefined);
}

/**
 * Starts the delivery of the module inputs to which the session is subscribed. Stops the delivery of all
 * other module inputs.
 */
export function attachInputs(
  session: Session,
  { host, sessions }: Pick<BrokerContext, 'host' | 'sessions'>,
): void {
  const { delivery, identity } = session;
  for (const { topic, queue } of host.endpoints(identity)) {
    if (sessions.subscriptions.match(topic).get(session) !== undefined)
      delivery?.attach(queue, settings => host.drain(queue, settings), topic);
    else delivery?.detach(queue);
  }
}
