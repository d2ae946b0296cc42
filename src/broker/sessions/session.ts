import type { Holder } from '../../core/capacity/shares.ts';
import type { Origin } from '../../core/message.ts';
import type { PendingAck, Publisher } from '../inbound/ack-queue.ts';
import type { Delivery, Receiver } from '../outbound/types.ts';
import type { Identity, PendingWill, StoredSession, StoredSessionState, StoredWill } from '../types.ts';
import type { Subscription } from './subscriptions.ts';

/** QoS 2 message to the client for which PUBREC has arrived and PUBCOMP has not arrived yet. */
export type OutboundQos2 = {
  /** Sequence number of the message in its queue. */
  readonly sequence: number;
  /** True if the removal of the message from its queue is on disk. PUBREL is sent only after this removal. */
  stored: boolean;
};

/**
 * QoS 2 message from the client for which PUBREL has not arrived yet. The value is `durable` if the message
 * is on disk. Otherwise the value is the connection that must send PUBREC, with the position of PUBREC in the
 * acknowledgement queue.
 */
export type InboundQos2 = { publisher: Publisher; ack: PendingAck } | 'durable';

/** Session of a client (MQTT 5, 4.1). */
export type Session = {
  readonly kind: 'session';
  /**
   * Unique identifier of the session. A module has one session for all client identifiers. A user has one
   * session for each client identifier.
   */
  readonly id: string;
  readonly clientId: string;
  readonly identity: Identity;
  /** Holder (the user, module or address whose share is charged) of the session. */
  readonly holder: Holder;
  /** Origin of the messages that the client publishes. Unused if the client is a module. */
  readonly origin: Origin;
  /**
   * Hub time (the hub's own clock for TTLs) in milliseconds at which the session was created. Undefined if an
   * older version of the hub stored the session.
   */
  readonly opened: number | undefined;
  /** True if the session and its queue are stored on disk. False if the session ends with its connection. */
  readonly persistent: boolean;
  /** Session Expiry Interval in seconds (MQTT 5, 3.1.2.11.2). Infinity if the session never expires. */
  expiry: number;
  /**
   * Hub time (the hub's own clock for TTLs) in milliseconds at which the session expires. Undefined while the
   * client is connected.
   */
  ends: number | undefined;
  /**
   * Name of the session's queue. If the session is not persistent, the queue is used only after the client
   * was too slow to receive all messages.
   */
  readonly queue: string;
  /** Subscriptions by topic filter. */
  readonly subscriptions: Map<string, Subscription>;
  /** Estimated memory of the subscriptions in bytes. */
  subscriptionBytes: number;
  /**
   * QoS 2 messages from the client for which PUBREL has not arrived yet, by packet identifier (MQTT 5,
   * 4.3.3).
   */
  readonly inboundQos2: Map<number, InboundQos2>;
  /**
   * QoS 2 messages to the client for which PUBREC has arrived and PUBCOMP has not arrived yet, by packet
   * identifier (MQTT 5, 4.3.3).
   */
  readonly outboundQos2: Map<number, OutboundQos2>;
  /**
   * True if access rules permit only a part of the topics of a subscription. In this case the topic of each
   * message is checked before delivery.
   */
  restricted: boolean;
  /** Connection of the client. Undefined if the client is not connected. */
  connection: Receiver | undefined;
  /** Monotonic time in milliseconds at which the current connection was accepted. */
  connectedAt: number;
  /** Delivery of QoS 1 and 2 messages on the current connection. Undefined if the client is not connected. */
  delivery: Delivery | undefined;
  /**
   * Will that waits for its Will Delay Interval after the client has disconnected. Undefined if no will
   * waits.
   */
  pendingWill: PendingWill | undefined;
  /** Will of the session in the store. Undefined if no will is stored. */
  storedWill: StoredWill | undefined;
  /** Estimated memory of the will in bytes. 0 without a will. */
  willBytes: number;
};

/**
 * Returns the identifier of a session. The identifier contains the user name, so that a client cannot resume
 * the session of another user.
 */
export function sessionId(clientId: string, identity: Identity): string {
  if (identity.kind === 'module') return `module:${identity.module}`;
  return identity.user === undefined ? `client:${clientId}` : `user:${identity.user}:${clientId}`;
}

/** Returns the name of a session's queue. */
export function sessionQueue(id: string): string {
  return `${SESSION_QUEUES}${id}`;
}

/** Prefix of the names of session queues. */
export const SESSION_QUEUES = 'session/';

/** Fields of a session that identify its client. */
export type SessionOwner = Pick<Session, 'clientId' | 'identity' | 'holder'>;

/**
 * Creates a session. `expiry` is in seconds. `opened` is hub time (the hub's own clock for TTLs) in
 * milliseconds.
 */
export function newSession(owner: SessionOwner, expiry: number, opened: number | undefined): Session {
  const { clientId, identity, holder } = owner;
  const id = sessionId(clientId, identity);
  return {
    kind: 'session',
    id,
    clientId,
    identity,
    holder,
    origin: { kind: 'client', client: clientId },
    opened,
    persistent: expiry > 0,
    expiry,
    ends: undefined,
    queue: sessionQueue(id),
    subscriptions: new Map(),
    subscriptionBytes: 0,
    inboundQos2: new Map(),
    outboundQos2: new Map(),
    restricted: false,
    connection: undefined,
    connectedAt: 0,
    delivery: undefined,
    pendingWill: undefined,
    storedWill: undefined,
    willBytes: 0,
  };
}

/**
 * Restores a stored session. `now` is hub time (the hub's own clock for TTLs) in milliseconds. If the client
 * was connected when the hub stopped, the Session Expiry Interval starts at `now`.
 */
export function restoredSession(stored: StoredSessionState, now: number): Session {
  const session = newSession(stored, stored.expiry, stored.opened);
  session.storedWill = stored.will;
  if (stored.expiry < Number.POSITIVE_INFINITY) session.ends = stored.ends ?? now + stored.expiry * 1000;
  for (const packetId of stored.received) session.inboundQos2.set(packetId, 'durable');
  for (const [packetId, sequence] of stored.released)
    session.outboundQos2.set(packetId, { sequence, stored: true });
  return session;
}

/** Returns the fields of a session that are stored. */
export function storedForm(session: Session): StoredSession {
  const { id, clientId, identity, holder, opened, subscriptions, expiry, ends } = session;
  return { id, clientId, identity, holder, opened, subscriptions: Array.from(subscriptions), expiry, ends };
}

/**
 * Converts the Session Expiry Interval of a packet to seconds. 0xFFFFFFFF means that the session never
 * expires, and becomes Infinity (MQTT 5, 3.1.2.11.2).
 */
export function expiryOf(interval: number): number {
  return interval === 0xffff_ffff ? Number.POSITIVE_INFINITY : interval;
}
