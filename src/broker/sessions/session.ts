import type { Holder } from '../../core/capacity/shares.ts';
import type { Origin } from '../../core/message.ts';
import type { Connection } from '../connection.ts';
import type { Receipt } from '../inbound/receipts.ts';
import type { Delivery } from '../outbound/delivery.ts';
import type { Identity, KeptWill, StoredFlights, StoredSession } from '../types.ts';
import type { Subscription } from './subscriptions.ts';
import type { PendingWill, StoredWill } from './wills.ts';

/** Of a message that its receiver has: the sequence of its queue entry, and whether that is on disk. */
export type Released = { readonly sequence: number; kept: boolean };

/** The connection that waits for the PUBREC of a QoS 2 message, until the message is safe. */
export type Received = { connection: Connection; receipt: Receipt } | 'safe';

/** What the broker knows of one client, beyond its connection if it is persistent (MQTT 5, 4.1). */
export type Session = {
  readonly kind: 'session';
  /** Its key: a module has one session, whatever client identifier it chooses; so has each identifier of a user. */
  readonly id: string;
  readonly clientId: string;
  readonly identity: Identity;
  /** Whose share of the hub's resources it takes. */
  readonly holder: Holder;
  /** Where its messages come from, if it is no module's. */
  readonly origin: Origin;
  /** Hub time in milliseconds at which it was opened; undefined: an older hub has kept it. */
  readonly opened: number | undefined;
  /** True: it is on disk, and so is what it is owed. False: it ends with its connection. */
  readonly persistent: boolean;
  /** Seconds that it lives without a connection (MQTT 5, 3.1.2.11.2); Infinity: until it is ended. */
  expiry: number;
  /** Hub time in milliseconds at which it ends; undefined while it has a connection. */
  ends: number | undefined;
  /** What it is owed and cannot take now waits here; a session that is not persistent uses it only when it is slow. */
  readonly queue: string;
  readonly subscriptions: Map<string, Subscription>;
  /** Bytes that these count. */
  subscriptionBytes: number;
  /** Packet identifiers of QoS 2 messages that came in and were not released (4.3.3). */
  readonly received: Map<number, Received>;
  /** Packet identifiers of QoS 2 messages that went out and were received, until PUBCOMP (4.3.3). */
  readonly released: Map<number, Released>;
  /** True if it may receive only some of what its subscriptions match, so that each topic is checked. */
  restricted: boolean;
  connection: Connection | undefined;
  /** Monotonic milliseconds at which its connection was accepted. */
  connectedAt: number;
  /** What goes out on its connection. */
  delivery: Delivery | undefined;
  pendingWill: PendingWill | undefined;
  /** The will as it is on disk; undefined: none is. */
  keptWill: StoredWill | undefined;
  /** Bytes that its will counts; 0: it has none. */
  willBytes: number;
};

/** Client identifiers are each user's own: who chooses that of another does not get what waits for him. */
export function sessionId(clientId: string, identity: Identity): string {
  if (identity.kind === 'module') return `module:${identity.module}`;
  return identity.user === undefined ? `client:${clientId}` : `user:${identity.user}:${clientId}`;
}

/** The queue of the session with this id. */
export function sessionQueue(id: string): string {
  return `${SESSION_QUEUES}${id}`;
}

/** What the names of these queues begin with. */
export const SESSION_QUEUES = 'session/';

/** Whose session it is. */
export type SessionOwner = Pick<Session, 'clientId' | 'identity' | 'holder'>;

/** `expiry` in seconds; `opened` is hub time in milliseconds. */
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
    keptWill: undefined,
    willBytes: 0,
  };
}

/** A session as it was kept; `now` is hub time. One that had a connection when the hub ended lost it then. */
export function restoredSession(stored: StoredSession & StoredFlights & KeptWill, now: number): Session {
  const session = newSession(stored, stored.expiry, stored.opened);
  session.keptWill = stored.will;
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

/** Seconds of a Session Expiry Interval (MQTT 5, 3.1.2.11.2): the highest means for ever. */
export function expiryOf(interval: number): number {
  return interval === 0xffff_ffff ? Number.POSITIVE_INFINITY : interval;
}
