import type { Holder } from '../../core/capacity/shares.ts';
import type { Origin } from '../../core/message.ts';
import type { PendingAck, Publisher } from '../inbound/ack-queue.ts';
import type { Delivery, Receiver } from '../outbound/types.ts';
import type { Identity, PendingWill, StoredSession, StoredSessionState, StoredWill } from '../types.ts';
import type { Subscription } from './subscriptions.ts';

/**
 * QoS 2 message that the client has received: sequence of its queue entry, and whether the PUBREC is on disk.
 */
export type Released = { readonly sequence: number; kept: boolean };

/** Publisher that waits for the PUBREC of a QoS 2 message. `safe` when the message is durable. */
export type Received = { publisher: Publisher; ack: PendingAck } | 'safe';

/** Session of a client. A persistent session outlives its connection (MQTT 5, 4.1). */
export type Session = {
  readonly kind: 'session';
  /** Key. A module has one session whatever its client identifier; a user has one per client identifier. */
  readonly id: string;
  readonly clientId: string;
  readonly identity: Identity;
  /** Holder whose share the session counts in. */
  readonly holder: Holder;
  /** Origin of its messages if it is not a module's session. */
  readonly origin: Origin;
  /** Hub time in milliseconds when the session was opened. Undefined if an older version stored it. */
  readonly opened: number | undefined;
  /** True if the session and its queue are on disk. False if it ends with its connection. */
  readonly persistent: boolean;
  /** Session Expiry Interval in seconds (MQTT 5, 3.1.2.11.2). Infinity if it never expires. */
  expiry: number;
  /** Hub time in milliseconds when the session expires. Undefined while it has a connection. */
  ends: number | undefined;
  /** Name of its queue. A session that is not persistent uses it only when it is slow. */
  readonly queue: string;
  readonly subscriptions: Map<string, Subscription>;
  /** Counted bytes of the subscriptions. */
  subscriptionBytes: number;
  /** Packet identifiers of received and unreleased QoS 2 messages (4.3.3). */
  readonly received: Map<number, Received>;
  /** Packet identifiers of sent QoS 2 messages between PUBREC and PUBCOMP (4.3.3). */
  readonly released: Map<number, Released>;
  /** True if access rules permit only some topics of its subscriptions, so that each topic is checked. */
  restricted: boolean;
  connection: Receiver | undefined;
  /** Monotonic time in milliseconds when its connection was accepted. */
  connectedAt: number;
  /** Delivery on its connection. */
  delivery: Delivery | undefined;
  pendingWill: PendingWill | undefined;
  /** Will on disk. Undefined if there is none. */
  storedWill: StoredWill | undefined;
  /** Counted bytes of its will. 0 if it has none. */
  willBytes: number;
};

/**
 * Identifier of a session. Client identifiers are scoped by user, so that nobody gets the session of another
 * user.
 */
export function sessionId(clientId: string, identity: Identity): string {
  if (identity.kind === 'module') return `module:${identity.module}`;
  return identity.user === undefined ? `client:${clientId}` : `user:${identity.user}:${clientId}`;
}

/** Queue of the session with this identifier. */
export function sessionQueue(id: string): string {
  return `${SESSION_QUEUES}${id}`;
}

/** Prefix of session queues. */
export const SESSION_QUEUES = 'session/';

/** Owner of a session. */
export type SessionOwner = Pick<Session, 'clientId' | 'identity' | 'holder'>;

/** Creates a session. `expiry` is in seconds; `opened` is hub time in milliseconds. */
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
    received: new Map(),
    released: new Map(),
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
 * Restores a stored session. `now` is hub time. A session that was connected when the hub ended is
 * disconnected since then.
 */
export function restoredSession(stored: StoredSessionState, now: number): Session {
  const session = newSession(stored, stored.expiry, stored.opened);
  session.storedWill = stored.will;
  if (stored.expiry < Number.POSITIVE_INFINITY) session.ends = stored.ends ?? now + stored.expiry * 1000;
  for (const packetId of stored.received) session.received.set(packetId, 'safe');
  for (const [packetId, sequence] of stored.released)
    session.released.set(packetId, { sequence, kept: true });
  return session;
}

export function storedForm(session: Session): StoredSession {
  const { id, clientId, identity, holder, opened, subscriptions, expiry, ends } = session;
  return { id, clientId, identity, holder, opened, subscriptions: Array.from(subscriptions), expiry, ends };
}

/** Seconds of a Session Expiry Interval (MQTT 5, 3.1.2.11.2). The maximum means never. */
export function expiryOf(interval: number): number {
  return interval === 0xffff_ffff ? Number.POSITIVE_INFINITY : interval;
}
