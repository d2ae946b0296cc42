import type { Holder } from '../../core/capacity/shares.ts';
import type { Message, OnDurable, Origin, QoS } from '../../core/message.ts';
import { NO_PROPERTIES } from '../../core/message.ts';
import type { PublishProperties } from '../../mqtt/read-publish.ts';
import type { MetadataEntry } from '../../queue/types.ts';
import { bridgeStateTopic, outputOf } from '../access/access.ts';
import type { Session } from '../sessions/session.ts';
import type { BrokerHost, Identity } from '../types.ts';

/** Fields of a PUBLISH or a will that form a message. */
export type Publication = {
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: PublishProperties | undefined;
};

/** Message of a session's publication. */
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

/** Origin of a message that a session publishes on a topic. */
export function originOf({ identity, origin }: Session, topic: string): Origin {
  if (identity.kind === 'client') return origin;
  const { module } = identity;
  return { kind: 'module', module, output: outputOf(module, topic) ?? '' };
}

/** True if a client may publish on a topic by its access rules. A bridge may publish its own state. */
export function mayPublish(
  host: Pick<BrokerHost, 'mayPublish'>,
  bridge: boolean,
  identity: Identity,
  clientId: string,
  topic: string,
): boolean {
  if (bridge && topic === bridgeStateTopic(clientId)) return true;
  return host.mayPublish(identity, clientId, topic);
}

/** True if this session published the message. */
export function isOwn({ identity, origin: own }: Session, { origin }: Message): boolean {
  // Client identifiers are scoped by user, so they do not identify a session.
  if (identity.kind === 'client') return origin === own;
  return origin.kind === 'module' && origin.module === identity.module;
}

/**
 * Publishes a message to routes and subscribers, and stores a retained message in the share of `holder`.
 * Calls `settle` when everything is durable. Returns the number of destinations.
 */
export function publish(
  host: Pick<BrokerHost, 'publish' | 'retained'>,
  holder: Holder,
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
