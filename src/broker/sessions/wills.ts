import { LONGEST_TIMER } from '../../core/limits.ts';
import type { Message } from '../../core/message.ts';
import { bridgeStateTopic } from '../access.ts';
import type { BrokerContext } from '../connection.ts';
import { publish } from '../inbound/publication.ts';
import type { Session } from './session.ts';

/** A message to be published when a connection ends without DISCONNECT (MQTT 5, 3.1.2.5). */
export type Will = {
  readonly message: Message;
  /** Milliseconds after the end of the connection (3.1.3.2.2). */
  readonly delay: number;
};

/** A will that waits for its delay. */
export type PendingWill = { readonly send: () => void; readonly cancel: () => void };

/**
 * Publishes the will of a session that lost its connection: when its delay is over, or when the session ends,
 * whichever is first; a connection that resumes the session before takes it back [MQTT-3.1.3-9].
 */
export function publishWill(context: BrokerContext, session: Session, { message, delay }: Will): void {
  const { clock, counts } = context;
  const send = (): void => {
    if (!mayGo(context, session, message)) return;
    publish(context, session, message, error => {
      if (error !== undefined) counts.dropped++;
    });
  };
  const wait = Math.min(delay, session.expiry * 1000, LONGEST_TIMER);
  if (wait <= 0) {
    send();
    return;
  }
  const end = (): void => {
    session.pendingWill = undefined;
    cancel();
  };
  const sendOnce = (): void => {
    end();
    send();
  };
  const cancel = clock.after(wait, sendOnce);
  session.pendingWill = { send: sendOnce, cancel: end };
}

/** Whether a will may be published now: the manifest may have changed since CONNECT. */
function mayGo(
  { host, counts, log }: BrokerContext,
  { identity, clientId }: Session,
  will: Message,
): boolean {
  const { topic, retain } = will;
  const granted = topic === bridgeStateTopic(clientId) || host.mayPublish(identity, clientId, topic);
  if (granted && (!retain || host.limits().retained)) return true;
  counts.refused++;
  log.warn(`The will of client "${clientId}" is not published: it may not publish on "${topic}" any more.`);
  return false;
}
