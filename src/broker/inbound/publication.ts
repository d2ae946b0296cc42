import type { Message, OnDurable, Origin, QoS } from '../../core/message.ts';
import { NO_PROPERTIES } from '../../core/message.ts';
import type { PublishProperties } from '../../mqtt/read-publish.ts';
import type { MetadataEntry } from '../../queue/types.ts';
import { bridgeStateTopic, outputOf } from '../access.ts';
import type { Connection } from '../connection.ts';
import type { BrokerContext } from '../context.ts';
import type { Session } from '../sessions/session.ts';
import type { Identity } from '../types.ts';

/** The parts of a PUBLISH, or of a will, that make a message. */
export type Publication = {
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: PublishProperties | undefined;
};

/** What a session published on a topic, as every other room sees it. */
export function messageFrom(
  session: Session,
  topic: string,
  { payload, qos, retain, properties }: Publication,
): Message {
  const expiry = properties?.messageExpiry;
  return {
    topic,
    body: payload,
    qos,
    retain,
    retained: false,
    origin: originOf(session, topic),
    properties: properties?.userProperties ?? NO_PROPERTIES,
    contentType: properties?.contentType,
    payloadFormat: properties?.payloadFormat,
    responseTopic: properties?.responseTopic,
    correlation: properties?.correlation,
    ttl: expiry === undefined ? undefined : expiry * 1000,
  };
}

/** Origin of what a session publishes on a topic. */
export function originOf({ identity, origin }: Session, topic: string): Origin {
  if (identity.kind === 'client') return origin;
  const { module } = identity;
  return { kind: 'module', module, output: outputOf(module, topic) ?? '' };
}

/** True if a client may publish on a topic: as it is granted, and a bridge on its own state. */
export function mayPublish(
  { context, bridge }: Pick<Connection, 'context' | 'bridge'>,
  identity: Identity,
  clientId: string,
  topic: string,
): boolean {
  if (bridge && topic === bridgeStateTopic(clientId)) return true;
  return context.host.mayPublish(identity, clientId, topic);
}

/** True if the message was published by this very session. */
export function isOwn({ identity, origin: own }: Session, { origin }: Message): boolean {
  // Client identifiers are each user's own, so they do not tell.
  if (identity.kind === 'client') return origin === own;
  return origin.kind === 'module' && origin.module === identity.module;
}

/**
 * Gives a message of a session to the routes and subscribers, and keeps it for later ones if it is to be retained; `settle` when
 * all of that is safe. Returns how many take it.
 */
export function publish(
  { host }: BrokerContext,
  { holder }: Pick<Session, 'holder'>,
  message: Message,
  settle: OnDurable,
  note?: MetadataEntry,
): number {
  if (!message.retain) return host.publish(message, settle, note);
  let open = 2;
  let failure: Error | undefined;
  const part: OnDurable = error => {
    failure ??= error;
    if (--open === 0) settle(failure);
  };
  host.retained.set(message, holder, part);
  return host.publish(message, part, note);
}
