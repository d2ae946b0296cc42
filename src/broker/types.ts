import type { MemoryBudget } from '../core/capacity/memory-budget.ts';
import type { Pressure } from '../core/capacity/pressure.ts';
import type { Resources } from '../core/capacity/resources.ts';
import type { Holder } from '../core/capacity/shares.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Message, OnDurable, Origin } from '../core/message.ts';
import type { Random } from '../core/random.ts';
import type { Drain, DrainSettings, MetadataEntry, RetainedMessages } from '../queue/types.ts';
import type { Granted } from './access.ts';
import type { Peer } from './listeners/socket.ts';
import type { Subscription } from './sessions/subscriptions.ts';
import type { StoredWill } from './sessions/wills.ts';

/** Who a connection is, once its CONNECT was accepted. */
export type Identity =
  | { readonly kind: 'module'; readonly module: string }
  | { readonly kind: 'client'; readonly user: string | undefined };

/** What a CONNECT says of itself. */
export type Credentials = {
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly clientId: string;
  readonly peer: Peer;
};

/** A CONNECT that is not accepted, because its credentials are wrong or because too many were. */
export type Refusal = {
  readonly kind: 'refused' | 'tooMany';
  /** For the log alone: the client is not told which part of its credentials is wrong. */
  readonly reason: string;
};

/** Outcome of a CONNECT. */
export type Authentication = Identity | Refusal;

/** A durable queue that a client reads by subscribing to `topic`: an input of a module. */
export type Endpoint = { readonly topic: string; readonly queue: string };

/** A persistent session as it is kept. */
export type StoredSession = {
  readonly id: string;
  readonly clientId: string;
  readonly identity: Identity;
  readonly holder: Holder;
  /** Hub time in milliseconds at which it was opened; undefined: an older hub has kept it. */
  readonly opened: number | undefined;
  readonly subscriptions: readonly (readonly [filter: string, subscription: Subscription])[];
  /** Seconds that it lives without a connection; Infinity: until it is ended. */
  readonly expiry: number;
  /** Hub time in milliseconds at which it ends; undefined: when it was saved it had a connection. */
  readonly ends: number | undefined;
};

/** Its QoS 2 state (MQTT 5, 4.3.3): packet identifiers. */
export type StoredFlights = {
  /** Of messages that came in and whose PUBREL has not come. */
  readonly received: readonly number[];
  /** Of messages that the client has, with their sequence in the queue, and whose PUBCOMP has not come. */
  readonly released: readonly (readonly [packetId: number, sequence: number])[];
};

/** The will of a persistent session, if one is kept. */
export type KeptWill = { readonly will: StoredWill | undefined };

/** Sessions as the store keeps them. Settles are called when a change is on disk. */
export type SessionStore = {
  readonly load: () => readonly (StoredSession & StoredFlights & KeptWill)[];
  readonly save: (session: StoredSession, settle: OnDurable) => void;
  readonly keepWill: (id: string, will: StoredWill) => void;
  readonly forgetWill: (id: string) => void;
  /** Forgets a session, its will, its QoS 2 state and its queue. */
  readonly forget: (id: string, queue: string, settle: OnDurable) => void;
  /** What `publish` keeps together with a message that came in under a packet identifier. */
  readonly noteReceived: (id: string, packetId: number) => MetadataEntry;
  readonly forgetReceived: (id: string, packetId: number, settle: OnDurable) => void;
  readonly keepReleased: (id: string, packetId: number, sequence: number) => void;
  readonly forgetReleased: (id: string, packetId: number) => void;
};

/** What the hub counts of messages that it did not see; `receivers` of each. */
export type CountPassed = (messages: number, receivers: number) => void;

/** Limits of the broker, as the manifest sets them. */
export type BrokerLimits = {
  /** Bytes of one packet of a client. */
  readonly packetSize: number;
  /** Milliseconds; undefined: any. */
  readonly keepAlive: number | undefined;
  /** Clients connected at once, over all listeners. */
  readonly connections: number;
  /** Whether messages may be retained. */
  readonly retained: boolean;
};

/** What the hub gives the broker. The broker knows no routes and no database. */
export type BrokerHost = {
  /** Lets a queue count in the share of a holder, until it is purged. */
  readonly assignQueue: (queue: string, holder: Holder) => void;
  /** Shares of what clients hold in the broker. */
  readonly shares: Pick<Resources, 'connections' | 'sessions' | 'subscriptionBytes' | 'willBytes'>;
  /** Returns whose share a client takes. */
  readonly holderOf: (identity: Identity, peer: Peer) => Holder;
  /** `done` is called once, at once or later. */
  readonly authenticate: (credentials: Credentials, done: (outcome: Authentication) => void) => void;
  readonly mayPublish: (identity: Identity, clientId: string, topic: string) => boolean;
  /** `filter` without `$share/<group>/`. */
  readonly maySubscribe: (identity: Identity, clientId: string, filter: string) => boolean;
  /** Whether a client may receive what is published on a topic, whatever it has subscribed to. */
  readonly mayReceive: (identity: Identity, clientId: string, topic: string) => boolean;
  /** Part of what a filter of a subscription matches that the client may receive now. */
  readonly granted: (identity: Identity, clientId: string, filter: string) => Granted;
  /**
   * Takes in a message; `settle` tells when it may be acknowledged. With a note, message and note are kept together
   * or not at all. Returns how many routes and subscribers take it.
   */
  readonly publish: (message: Message, settle: OnDurable, note?: MetadataEntry) => number;
  /** Back-pressure of the store: while it is high, PUBLISH packets wait in their sockets. */
  readonly pressure: Pressure;
  /** Memory that the broker may take. */
  readonly budget: MemoryBudget;
  /** Counts bytes that a socket has brought. */
  readonly countInput: (bytes: number) => void;
  /**
   * What counts messages of `origin` on `topic` that the broker passes on by itself; undefined: a route may take
   * them, and they are to be published.
   */
  readonly passing: (origin: Origin, topic: string) => CountPassed | undefined;
  readonly endpoints: (identity: Identity) => readonly Endpoint[];
  readonly drain: (queue: string, settings: DrainSettings) => Drain;
  /** Puts a message into one queue alone. */
  readonly enqueue: (message: Message, queue: string, settle: OnDurable) => void;
  /** Names of the queues there are, and forgets one with all it holds. */
  readonly queues: () => readonly string[];
  readonly purge: (queue: string) => void;
  readonly retained: RetainedMessages;
  readonly sessions: SessionStore;
  /** What else the hub says of itself: texts by their topics below `$SYS/`. */
  readonly readings: () => ReadonlyMap<string, string>;
  /** Current limits; each is read when it applies. */
  readonly limits: () => BrokerLimits;
  /** Hub time in milliseconds. */
  readonly now: () => number;
};

/** What a broker shows of itself. */
export type BrokerFigures = Readonly<BrokerCounts> & {
  readonly sessions: number;
  readonly subscriptions: number;
};

export type BrokerCounts = {
  connections: number;
  received: number;
  sent: number;
  /** What nobody is owed and a full receiver or store did not get: QoS 0, wills. */
  dropped: number;
  /** Publishes and subscriptions refused by the access rules. */
  refused: number;
};

/** What every connection and handler of one broker shares. */
export type BrokerSettings = {
  readonly host: BrokerHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};
