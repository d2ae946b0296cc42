import { MAX_TIMER_MS } from '../../core/limits.ts';
import type { Message } from '../../core/message.ts';
import { bridgeStateTopic } from '../access/access.ts';
import { originOf, publish } from '../inbound/publication.ts';
import { WILL_BYTES } from '../limits.ts';
import type { BrokerHost, BrokerServices, StoredWill, Will } from '../types.ts';
import type { Session } from './session.ts';

/** Counts the will of a session in the share of its holder, replacing its previous one. */
export function countWill(
  { shares }: Pick<BrokerHost, 'shares'>,
  session: Session,
  will: Will | undefined,
): void {
  const bytes = will === undefined ? 0 : willBytes(will.message);
  shares.willBytes.add(session.holder, bytes - session.willBytes);
  session.willBytes = bytes;
}

type WillParts = Pick<
  Message,
  'topic' | 'body' | 'contentType' | 'responseTopic' | 'correlation' | 'properties'
>;

/** Bytes of memory that a will takes. */
export function willBytes({
  topic,
  body,
  contentType,
  responseTopic,
  correlation,
  properties,
}: WillParts): number {
  let units = topic.length + (contentType?.length ?? 0) + (responseTopic?.length ?? 0);
  for (const text of properties) units += text.length + PROPERTY_UNITS;
  return WILL_BYTES + body.length + (correlation?.length ?? 0) + 2 * units;
}

/** Memory overhead of a string in UTF-16 units. */
const PROPERTY_UNITS = 8;

/**
 * Stores the will of a connected persistent session, because a crash of the hub ends the connection, too
 * [MQTT-3.1.2-8].
 */
export function keepWill(context: BrokerServices, session: Session, will: Will | undefined): void {
  countWill(context.host, session, will);
  if (will === undefined) forgetWill(context, session);
  else if (session.persistent) keep(context, session, { ...will, due: undefined });
}

/** Removes the stored will of a session after its publication or cancellation [MQTT-3.1.2-10]. */
export function forgetWill({ host }: BrokerServices, session: Session): void {
  countWill(host, session, undefined);
  if (session.storedWill === undefined) return;
  session.storedWill = undefined;
  host.sessions.removeWill(session.id);
}

function keep({ host }: BrokerServices, session: Session, will: StoredWill): void {
  session.storedWill = will;
  host.sessions.saveWill(session.id, will);
}

/**
 * Publishes the will of a session that lost its connection: after its delay or at the end of the session,
 * whichever is first. A connection that resumes the session cancels it [MQTT-3.1.3-9].
 */
export function publishWill(context: BrokerServices, session: Session, will: Will): void {
  const wait = Math.min(will.delay, session.expiry * 1000);
  if (wait > 0) {
    const due = context.host.now() + wait;
    keep(context, session, { ...will, due });
    pend(context, session, will, due);
    return;
  }
  send(context, session, will);
  forgetWill(context, session);
}

/** Schedules a stored will. A session that was connected when the hub ended is disconnected since then. */
export function resumeWill(context: BrokerServices, session: Session): void {
  const { storedWill: will } = session;
  if (will === undefined) return;
  const due = will.due ?? context.host.now() + Math.min(will.delay, session.expiry * 1000);
  pend(context, session, will, due);
}

function pend(context: BrokerServices, session: Session, will: Will, due: number): void {
  const { clock, host } = context;
  let cancelTimer = (): void => {};
  const end = (): void => {
    cancelTimer();
    session.pendingWill = undefined;
    forgetWill(context, session);
  };
  const sendOnce = (): void => {
    end();
    send(context, session, will);
  };
  const arm = (): void => {
    const left = due - host.now();
    if (left <= 0) sendOnce();
    else cancelTimer = clock.after(Math.min(left, MAX_TIMER_MS), arm);
  };
  session.pendingWill = {
    send: sendOnce,
    cancel: () => (host.now() >= due ? sendOnce() : end()),
    timeAdvanced: () => {
      cancelTimer();
      arm();
    },
    stop: () => cancelTimer(),
  };
  arm();
}

function send(context: BrokerServices, session: Session, { message }: Will): void {
  const { counts } = context;
  if (!mayGo(context, session, message)) return;
  publish(context.host, session.holder, { ...message, origin: originOf(session, message.topic) }, error => {
    if (error !== undefined) counts.dropped++;
  });
}

/** True if the will may be published now: access rules may have changed since CONNECT. */
function mayGo(
  { host, counts, log }: BrokerServices,
  { identity, clientId }: Session,
  { topic, retain }: Will['message'],
): boolean {
  const granted = topic === bridgeStateTopic(clientId) || host.mayPublish(identity, clientId, topic);
  if (granted && (!retain || host.limits().retained)) return true;
  counts.refused++;
  log.warn(`The will of client "${clientId}" is not published: it may not publish on "${topic}" any more.`);
  return false;
}
