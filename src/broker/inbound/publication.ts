import { settleAfter } from '../../core/async/settle-after.ts';
import type { Holder } from '../../core/capacity/shares.ts';
import type { Message, OnDurable, Origin, QoS } from '../../core/message.ts';
import { NO_PROPERTIES } from '../../core/message.ts';
import type { PublishProperties } from '../../mqtt/read-publish.ts';
import type { MetadataEntry } from '../../queue/types.ts';
import { bridgeStateTopic, outputOf } from '../access/access.ts';
import type { Session } from '../sessions/session.ts';
import type { BrokerHost, Identity } from '../types.ts';

/** Fields that a PUBLISH and a will have in common. */
export type Publication = {
  readonly payload: Buffer;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: PublishProperties | undefined;
};

/** Creates the message of a PUBLISH or will of a session. */
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

/** Returns the origin of a message that a session publishes on `topic`. */
export function originOf({ identity, origin }: Session, topic: string): Origin {
  if (identity.kind === 'client') return origin;
  const { module } = identity;
  return { kind: 'module', module, output: outputOf(module, topic) ?? '' };
}

/**
 * True if the client is allowed to publish on `topic`. A bridge is allowed to publish its connection state
 * without an access rule.
 */
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
  // Compares the origin objects by identity, because two users can have the same client identifier.
  if (identity.kind === 'client') return origin === own;
  return origin.kind === 'module' && origin.module === identity.module;
}

/**
 * Publishes a message to routes and subscribers. Also stores a message with RETAIN as a retained message,
 * which counts in the share of `holder` (the user, module or address whose share is charged). Calls
 * `onDurable` when every destination has stored the message on disk. Returns the number of matching routes
 * and subscribers.
 */
export function publish(
  host: Pick<BrokerHost, 'publish' | 'retained'>,
  holder: Holder,
  message: Message,
  onDurable: OnDurable,
  metadata?: MetadataEntry,
): number {
  if (!message.retain) return host.publish(message, onDurable, metadata);
  const onPartDurable = settleAfter(2, onDurable);
  host.retained.set(message, holder, onPartDurable);
  return host.publish(message, onPartDurable, metadata);
}
