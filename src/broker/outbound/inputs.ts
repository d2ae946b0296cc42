import type { BrokerContext } from '../context.ts';
import type { Session } from '../sessions/session.ts';

/** Begins to send what waits for a session that has just connected. */
export function attachQueue(session: Session, { host }: BrokerContext): void {
  const { delivery, queue, persistent } = session;
  if (persistent) delivery?.attach(queue, settings => host.drain(queue, settings), undefined);
}

/** Begins to send the module inputs that the session is subscribed to by now, and ends the others. */
export function attachInputs(session: Session, { host, sessions }: BrokerContext): void {
  const { delivery, identity } = session;
  for (const { topic, queue } of host.endpoints(identity)) {
    if (sessions.subscriptions.match(topic).get(session) !== undefined)
      delivery?.attach(queue, settings => host.drain(queue, settings), topic);
    else delivery?.detach(queue);
  }
}
