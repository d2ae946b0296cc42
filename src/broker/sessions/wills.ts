import { MAX_TIMER_MS } from '../../core/limits.ts';
import type { Message } from '../../core/message.ts';
import { bridgeStateTopic } from '../access/access.ts';
import { originOf, publish } from '../inbound/publication.ts';
import { WILL_BYTES } from '../limits.ts';
import type { BrokerHost, BrokerServices, StoredWill, Will } from '../types.ts';
import type { Session } from './session.ts';

/**
 * Counts the memory of a session's new will in the share of the holder (the user, module or address whose
 * share is charged). Subtracts the memory of the previous will.
 */
export function countWill(
  { shares }: Pick<BrokerHost, 'shares'>,
  session: Session,
  will: Will | undefined,
): void {
  const bytes = will === undefined ? 0 : willBytes(will.message);
  shares.willBytes.add(session.holder, bytes - session.willBytes);
  session.willBytes = bytes;
}

/** Fields of a will that determine its memory. */
type WillParts = Pick<
  Message,
  'topic' | 'body' | 'contentType' | 'responseTopic' | 'correlation' | 'properties'
>;

/** Returns the estimated memory of a will in bytes. */
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

/** Estimated memory overhead of each string of a user property, in UTF-16 units. */
const PROPERTY_UNITS = 8;

/**
 * Replaces the will of a session after CONNECT. Stores the will of a persistent session, because the will
 * must also be published if a crash of the hub ends the connection [MQTT-3.1.2-8].
 */
export function replaceWill(context: BrokerServices, session: Session, will: Will | undefined): void {
  countWill(context.host, session, will);
  if (will === undefined) removeWill(context, session);
  else if (session.persistent) store(context, session, { ...will, due: undefined });
}

/** Called when the will of a session has been published or cancelled. Removes the will [MQTT-3.1.2-10]. */
export function removeWill({ host }: BrokerServices, session: Session): void {
  countWill(host, session, undefined);
  if (session.storedWill === undefined) return;
  session.storedWill = undefined;
  host.sessions.removeWill(session.id);
}

function store({ host }: BrokerServices, session: Session, will: StoredWill): void {
  session.storedWill = will;
  host.sessions.saveWill(session.id, will);
}

/**
 * Called when a connection has closed without DISCONNECT. Publishes the will after the Will Delay Interval or
 * at the end of the session, whichever is first. If the client reconnects earlier, the will is cancelled
 * [MQTT-3.1.3-9].
 */
export function publishWill(context: BrokerServices, session: Session, will: Will): void {
  const wait = Math.min(will.delay, session.expiry * 1000);
  if (wait > 0) {
    const due = context.host.now() + wait;
    store(context, session, { ...will, due });
    schedule(context, session, will, due);
    return;
  }
  publishNow(context, session, will);
  removeWill(context, session);
}

/**
 * Schedules the stored will of a session after a start of the hub. If the client was connected when the hub
 * stopped, the Will Delay Interval starts now.
 */
export function resumeWill(context: BrokerServices, session: Session): void {
  const { storedWill: will } = session;
  if (will === undefined) return;
  const due = will.due ?? context.host.now() + Math.min(will.delay, session.expiry * 1000);
  schedule(context, session, will, due);
}

/**
 * Publishes a will at `due` in hub time (the hub's own clock for TTLs), unless the will is cancelled before.
 */
function schedule(context: BrokerServices, session: Session, will: Will, due: number): void {
  const { clock, host } = context;
  let cancelTimer = (): void => {};
  const end = (): void => {
    cancelTimer();
    session.pendingWill = undefined;
    removeWill(context, session);
  };
  const publishOnce = (): void => {
    end();
    publishNow(context, session, will);
  };
  const startTimer = (): void => {
    const left = due - host.now();
    if (left <= 0) publishOnce();
    else cancelTimer = clock.after(Math.min(left, MAX_TIMER_MS), startTimer);
  };
  session.pendingWill = {
    send: publishOnce,
    cancel: () => (host.now() >= due ? publishOnce() : end()),
    timeAdvanced: () => {
      cancelTimer();
      startTimer();
    },
    stop: () => cancelTimer(),
  };
  startTimer();
}

/** Publishes a will if access rules and limits permit it. */
function publishNow(context: BrokerServices, session: Session, { message }: Will): void {
  const { counts } = context;
  if (!mayPublishWill(context, session, message)) return;
  publish(context.host, session.holder, { ...message, origin: originOf(session, message.topic) }, error => {
    if (error !== undefined) counts.dropped++;
  });
}

/**
 * True if the client is still allowed to publish the will. Called when the will is published, because the
 * access rules and limits can have changed since CONNECT.
 */
function mayPublishWill(
  { host, counts, log }: BrokerServices,
  { identity, clientId }: Session,
  { topic, retain }: Will['message'],
): boolean {
  const permitted = topic === bridgeStateTopic(clientId) || host.mayPublish(identity, clientId, topic);
  if (permitted && (!retain || host.limits().retained)) return true;
  counts.refused++;
  log.warn(
    `Discarded the will of client "${clientId}": the client is no longer allowed to publish to "${topic}".`,
  );
  return false;
}
