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

/** Identity of a connection after its CONNECT was accepted. */
export type Identity =
  | { readonly kind: 'module'; readonly module: string }
  | { readonly kind: 'client'; readonly user: string | undefined };

/** Credentials of a CONNECT. */
export type Credentials = {
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly clientId: string;
  readonly peer: Peer;
};

/** Refused CONNECT: wrong credentials or too many failed attempts. */
export type Refusal = {
  readonly kind: 'refused' | 'tooMany';
  /** Reason for the log only: the client must not learn which part of its credentials is wrong. */
  readonly reason: string;
};

/** Outcome of a CONNECT. */
export type Authentication = Identity | Refusal;

/** Durable queue that a client reads by subscribing to `topic`: a module's input. */
export type Endpoint = { readonly topic: string; readonly queue: string };

/** Part of a filter's topics that a client may receive. */
export type Granted = 'all' | 'some' | 'none';

/** Will message, published when a connection ends without DISCONNECT (MQTT 5, 3.1.2.5). */
export type Will = {
  readonly message: Omit<Message, 'origin'>;
  /** Will Delay Interval in milliseconds (3.1.3.2.2). */
  readonly delay: number;
};

/** Stored will of a persistent session. */
export type StoredWill = Will & {
  /** Hub time in milliseconds when the will is published. Undefined while the session has a connection. */
  readonly due: number | undefined;
};

/** Will that waits for its delay. */
export type PendingWill = {
  readonly send: () => void;
  /** Called when the session has reconnected: cancels the will unless it is due. */
  readonly cancel: () => void;
  /** Called when hub time has advanced by the downtime. */
  readonly look: () => void;
  /** Called at shutdown: the will stays on disk. */
  readonly stop: () => void;
};

/** Stored persistent session. */
export type StoredSession = {
  readonly id: string;
  readonly clientId: string;
  readonly identity: Identity;
  readonly holder: Holder;
  /** Hub time in milliseconds when the session was opened. Undefined if an older version stored it. */
  readonly opened: number | undefined;
  readonly subscriptions: readonly (readonly [filter: string, subscription: Subscription])[];
  /** Session Expiry Interval in seconds. Infinity if it never expires. */
  readonly expiry: number;
  /** Hub time in milliseconds when the session expires. Undefined while it has a connection. */
  readonly ends: number | undefined;
};

/** Stored QoS 2 state (MQTT 5, 4.3.3): packet identifiers. */
export type StoredFlights = {
  /** Received messages without PUBREL. */
  readonly received: readonly number[];
  /** Sent messages between PUBREC and PUBCOMP, with their sequence in the queue. */
  readonly released: readonly (readonly [packetId: number, sequence: number])[];
};

/** Stored will of a persistent session. Undefined if there is none. */
export type KeptWill = { readonly will: StoredWill | undefined };

/** Store of sessions. Callbacks are called when a change is on disk. */
export type SessionStore = {
  readonly load: () => readonly (StoredSession & StoredFlights & KeptWill)[];
  readonly save: (session: StoredSession, settle: OnDurable) => void;
  readonly keepWill: (id: string, will: StoredWill) => void;
  readonly forgetWill: (id: string) => void;
  /** Removes a session, its will, its QoS 2 state and its queue. */
  readonly forget: (id: string, queue: string, settle: OnDurable) => void;
  /**
   * Metadata entry that `publish` stores atomically with a message that was received under a packet
   * identifier.
   */
  readonly noteReceived: (id: string, packetId: number) => MetadataEntry;
  readonly forgetReceived: (id: string, packetId: number, settle: OnDurable) => void;
  readonly keepReleased: (id: string, packetId: number, sequence: number) => void;
  readonly forgetReleased: (id: string, packetId: number) => void;
};

/** Counts messages on the fast path, which the hub does not see. `receivers` is per message. */
export type CountPassed = (messages: number, receivers: number) => void;

/** Retained messages that new subscriptions receive. */
export type RetainedSource = Pick<RetainedMessages, 'get' | 'topics'>;

/** Limits of the broker from the manifest. */
export type BrokerLimits = {
  /** Maximum bytes of a client's packet. */
  readonly packetSize: number;
  /** Maximum keep-alive in milliseconds. Undefined if unlimited. */
  readonly keepAlive: number | undefined;
  /** Maximum connected clients over all listeners. */
  readonly connections: number;
  /** True if clients may retain messages. */
  readonly retained: boolean;
};

/** Interface of the hub to the broker. The broker knows no routes and no database. */
export type BrokerHost = {
  /** Assigns a queue to the share of a holder until it is purged. */
  readonly assignQueue: (queue: string, holder: Holder) => void;
  /** Shares of the broker's resources. */
  readonly shares: Pick<Resources, 'connections' | 'sessions' | 'subscriptionBytes' | 'willBytes'>;
  /** Holder of a client's resources. */
  readonly holderOf: (identity: Identity, peer: Peer) => Holder;
  /** Authenticates a client. Calls `done` once, synchronously or later. */
  readonly authenticate: (credentials: Credentials, done: (outcome: Authentication) => void) => void;
  readonly mayPublish: (identity: Identity, clientId: string, topic: string) => boolean;
  /** True if the client may subscribe. `filter` is without `$share/<group>/`. */
  readonly maySubscribe: (identity: Identity, clientId: string, filter: string) => boolean;
  /** True if a client may receive messages on a topic, whatever its subscriptions. */
  readonly mayReceive: (identity: Identity, clientId: string, topic: string) => boolean;
  /** Part of a filter's topics that the client may receive now. */
  readonly granted: (identity: Identity, clientId: string, filter: string) => Granted;
  /**
   * Publishes a message. Calls `settle` when it may be acknowledged. A note is stored atomically with the
   * message. Returns the number of routes and subscribers.
   */
  readonly publish: (message: Message, settle: OnDurable, note?: MetadataEntry) => number;
  /** Back-pressure of the store. While it is high, PUBLISH packets wait in their sockets. */
  readonly pressure: Pressure;
  /** Memory budget of the broker. */
  readonly budget: MemoryBudget;
  /** Counts bytes received from a socket. */
  readonly countInput: (bytes: number) => void;
  /**
   * Counter for messages of `origin` on `topic` on the fast path. Undefined if a route may match them, so
   * that they must be published.
   */
  readonly passing: (origin: Origin, topic: string) => CountPassed | undefined;
  readonly endpoints: (identity: Identity) => readonly Endpoint[];
  readonly drain: (queue: string, settings: DrainSettings) => Drain;
  /** Appends a message to one queue only. */
  readonly enqueue: (message: Message, queue: string, settle: OnDurable) => void;
  /** Names of all queues, and removal of one with its content. */
  readonly queues: () => readonly string[];
  readonly purge: (queue: string) => void;
  readonly retained: RetainedMessages;
  readonly sessions: SessionStore;
  /** Further $SYS values: texts by topic below `$SYS/`. */
  readonly readings: () => ReadonlyMap<string, string>;
  /** Current limits, read whenever they apply. */
  readonly limits: () => BrokerLimits;
  /** Hub time in milliseconds. */
  readonly now: () => number;
};

/** Status of a broker. */
export type BrokerFigures = Readonly<BrokerCounts> & {
  readonly sessions: number;
  readonly subscriptions: number;
};

export type BrokerCounts = {
  connections: number;
  received: number;
  sent: number;
  /** Dropped messages without a delivery guarantee: QoS 0 and wills, for a full receiver or store. */
  dropped: number;
  /** Publishes and subscriptions refused by the access rules. */
  refused: number;
};

/** Settings that all connections and handlers of a broker share. */
export type BrokerSettings = {
  readonly host: BrokerHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/** Settings and counters of a broker. */
export type BrokerServices = BrokerSettings & { readonly counts: BrokerCounts };
