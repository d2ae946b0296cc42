import type { MemoryBudget } from '../core/capacity/memory-budget.ts';
import type { Pressure } from '../core/capacity/pressure.ts';
import type { Resources } from '../core/capacity/resources.ts';
import type { Holder } from '../core/capacity/shares.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Message, OnDurable, Origin } from '../core/message.ts';
import type { Random } from '../core/random.ts';
import type { Drain, DrainSettings, MetadataEntry, RetainedMessages } from '../queue/types.ts';
import type { Peer } from './listeners/socket.ts';
import type { Subscription } from './sessions/subscriptions.ts';

/** Identity of an authenticated client: a module of this hub, or any other client by its user name. */
export type Identity =
  | { readonly kind: 'module'; readonly module: string }
  | { readonly kind: 'client'; readonly user: string | undefined };

export type Credentials = {
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly clientId: string;
  readonly peer: Peer;
};

/** Refusal of a CONNECT. `refused`: wrong credentials. `tooMany`: too many failed attempts. */
export type Refusal = {
  readonly kind: 'refused' | 'tooMany';
  /** Reason for the log only, because the client must not learn which part of its credentials is wrong. */
  readonly reason: string;
};

/** Result of the authentication of a client. */
export type Authentication = Identity | Refusal;

/** Module input: durable queue whose messages a module receives by subscribing to `topic`. */
export type Endpoint = { readonly topic: string; readonly queue: string };

/**
 * Result of the access check of a filter: access rules permit the client to receive all, some or none of the
 * topics that the filter matches.
 */
export type Granted = 'all' | 'some' | 'none';

/**
 * Will Message (MQTT 5, 3.1.2.5). The broker publishes this message when a connection ends without
 * DISCONNECT.
 */
export type Will = {
  readonly message: Omit<Message, 'origin'>;
  /** Will Delay Interval in milliseconds (MQTT 5, 3.1.3.2.2). */
  readonly delay: number;
};

/** Stored form of the will of a persistent session. */
export type StoredWill = Will & {
  /**
   * Hub time (the hub's own clock for TTLs) in milliseconds at which the will is published. Undefined while
   * the client is connected.
   */
  readonly due: number | undefined;
};

/** Will whose client has disconnected and whose Will Delay Interval has not elapsed. */
export type PendingWill = {
  /** Publishes the will. */
  readonly send: () => void;
  /**
   * Called when the client has reconnected. Publishes the will if its delay has elapsed. Otherwise cancels
   * the will.
   */
  readonly cancel: () => void;
  /**
   * Called when hub time (the hub's own clock for TTLs) has advanced by the downtime of the hub. Publishes
   * the will if its delay has elapsed.
   */
  readonly timeAdvanced: () => void;
  /** Called at shutdown. Stops the timer, and leaves the will in the store. */
  readonly stop: () => void;
};

/** Stored form of a persistent session. */
export type StoredSession = {
  readonly id: string;
  readonly clientId: string;
  readonly identity: Identity;
  readonly holder: Holder;
  /**
   * Hub time (the hub's own clock for TTLs) in milliseconds at which the session was created. Undefined if an
   * older version of the hub stored the session.
   */
  readonly opened: number | undefined;
  readonly subscriptions: readonly (readonly [filter: string, subscription: Subscription])[];
  /** Session Expiry Interval in seconds. Infinity if the session never expires. */
  readonly expiry: number;
  /**
   * Hub time (the hub's own clock for TTLs) in milliseconds at which the session expires. Undefined while the
   * client is connected.
   */
  readonly ends: number | undefined;
};

/** Stored form of the unfinished QoS 2 exchanges of a session (MQTT 5, 4.3.3). */
export type StoredQos2State = {
  /** Packet identifiers of received messages for which PUBREL has not arrived yet. */
  readonly received: readonly number[];
  /**
   * Sent messages for which PUBREC has arrived and PUBCOMP has not arrived yet. `sequence` is the sequence
   * number of the message in the session's queue.
   */
  readonly released: readonly (readonly [packetId: number, sequence: number])[];
};

/** Stored form of a persistent session with its QoS 2 state and its will. */
export type StoredSessionState = StoredSession &
  StoredQos2State & {
    /** Will of the session. Undefined if the session has no will. */
    readonly will: StoredWill | undefined;
  };

/** Store of persistent sessions. `onDurable` callbacks are called when the change is on disk. */
export type SessionStore = {
  readonly load: () => readonly StoredSessionState[];
  readonly save: (session: StoredSession, onDurable: OnDurable) => void;
  readonly saveWill: (id: string, will: StoredWill) => void;
  readonly removeWill: (id: string) => void;
  /** Removes a session, its will, its QoS 2 state and its queue. */
  readonly remove: (id: string, queue: string, onDurable: OnDurable) => void;
  /**
   * Returns the metadata entry for the packet identifier of a received QoS 2 message. `BrokerHost.publish`
   * stores the entry and the message atomically.
   */
  readonly receivedEntry: (id: string, packetId: number) => MetadataEntry;
  readonly removeReceived: (id: string, packetId: number, onDurable: OnDurable) => void;
  readonly saveReleased: (id: string, packetId: number, sequence: number) => void;
  readonly removeReleased: (id: string, packetId: number) => void;
};

/**
 * Function that counts the messages that the fast path has forwarded. `receivers` is the number of receivers
 * per message.
 */
export type CountForwarded = (messages: number, receivers: number) => void;

/** Source of the retained messages that are sent to new subscriptions. */
export type RetainedSource = Pick<RetainedMessages, 'get' | 'topics'>;

/** Limits of the broker that the manifest sets. */
export type BrokerLimits = {
  /** Maximum bytes of a packet from a client. */
  readonly packetSize: number;
  /** Maximum keep-alive in milliseconds. Undefined if unlimited. */
  readonly keepAlive: number | undefined;
  /** Maximum connected clients of all listeners together. */
  readonly connections: number;
  /** True if clients are allowed to publish retained messages. */
  readonly retained: boolean;
};

/**
 * Interface that the hub implements for the broker. The broker accesses routes and the store only through
 * this interface.
 */
export type BrokerHost = {
  /**
   * Counts a queue in the share of a holder (the user, module or address whose share is charged) until the
   * queue is purged.
   */
  readonly assignQueue: (queue: string, holder: Holder) => void;
  /** Limited resources of the broker. Each holder (user, module or address) has a share of each resource. */
  readonly shares: Pick<Resources, 'connections' | 'sessions' | 'subscriptionBytes' | 'willBytes'>;
  /**
   * Returns the holder (the user, module or address whose share is charged) of the resources that a client
   * uses.
   */
  readonly holderOf: (identity: Identity, peer: Peer) => Holder;
  /** Authenticates a client. Calls `done` once, synchronously or later. */
  readonly authenticate: (credentials: Credentials, done: (outcome: Authentication) => void) => void;
  /** True if the access rules permit the client to publish on `topic`. */
  readonly mayPublish: (identity: Identity, clientId: string, topic: string) => boolean;
  /** True if the access rules permit the client to subscribe. `filter` is without `$share/<group>/`. */
  readonly maySubscribe: (identity: Identity, clientId: string, filter: string) => boolean;
  /**
   * True if the access rules permit the client to receive messages on `topic`. Ignores the subscriptions of
   * the client.
   */
  readonly mayReceive: (identity: Identity, clientId: string, topic: string) => boolean;
  /** Returns whether the access rules permit all, some or none of the topics that `filter` matches. */
  readonly granted: (identity: Identity, clientId: string, filter: string) => Granted;
  /**
   * Publishes a message to routes and subscribers. Calls `onDurable` when the broker is permitted to
   * acknowledge the message. Stores `metadata` and the message atomically. Returns the number of matching
   * routes and subscribers.
   */
  readonly publish: (message: Message, onDurable: OnDurable, metadata?: MetadataEntry) => number;
  /**
   * Back-pressure of the store. While the back-pressure is high, the broker reads no PUBLISH packets from
   * sockets.
   */
  readonly pressure: Pressure;
  /** Maximum memory of each kind of buffer, in bytes. */
  readonly budget: MemoryBudget;
  /** Counts bytes that were received from a socket. */
  readonly countInput: (bytes: number) => void;
  /**
   * Returns the counter for messages of `origin` on `topic` that the fast path forwards. Undefined if a route
   * can match these messages. In this case the broker must not use the fast path.
   */
  readonly fastPathCounter: (origin: Origin, topic: string) => CountForwarded | undefined;
  /** Returns the inputs of a module. Empty for any other client. */
  readonly endpoints: (identity: Identity) => readonly Endpoint[];
  /** Starts to read a queue. */
  readonly drain: (queue: string, settings: DrainSettings) => Drain;
  /** Appends a message to one queue. Routes and subscribers do not receive the message. */
  readonly enqueue: (message: Message, queue: string, onDurable: OnDurable) => void;
  /** Returns the names of all queues. */
  readonly queues: () => readonly string[];
  /** Removes a queue and its messages. */
  readonly purge: (queue: string) => void;
  readonly retained: RetainedMessages;
  readonly sessions: SessionStore;
  /**
   * Returns the $SYS values of the hub. The key is a topic without `$SYS/`. The value is the text of the
   * message.
   */
  readonly readings: () => ReadonlyMap<string, string>;
  /** Returns the current limits. A new manifest can change the limits at any time. */
  readonly limits: () => BrokerLimits;
  /** Returns hub time (the hub's own clock for TTLs) in milliseconds. */
  readonly now: () => number;
};

/** Counters of a broker and the current numbers of its sessions and subscriptions. */
export type BrokerFigures = Readonly<BrokerCounts> & {
  readonly sessions: number;
  readonly subscriptions: number;
};

/**
 * Counters of a broker. `connections` is the number of open connections. All other counters start at 0 when
 * the broker starts.
 */
export type BrokerCounts = {
  connections: number;
  received: number;
  sent: number;
  /**
   * Messages that were dropped, for example because the receiver was slow or disconnected, the packet
   * exceeded the client's Maximum Packet Size, or the store was full.
   */
  dropped: number;
  /** Publishes, deliveries and subscriptions that the access rules refused. */
  refused: number;
};

/** Settings that all connections and packet handlers of a broker share. */
export type BrokerSettings = {
  readonly host: BrokerHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/** Settings and counters of a broker. */
export type BrokerServices = BrokerSettings & { readonly counts: BrokerCounts };
