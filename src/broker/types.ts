import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Message, Origin, QoS, Settle } from '../core/message.ts';
import type { Random } from '../core/random.ts';
import type { Drain, DrainSettings } from '../queue/types.ts';
import type { Peer } from './listeners/socket.ts';

/** Who a connection is, once its CONNECT was accepted; a client without a name is anonymous. */
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

/** What came of a login. */
export type LoginOutcome = Identity | 'refused' | 'tooMany';

/** A durable queue that a client reads by subscribing to `topic`: an input of a module. */
export type Endpoint = { readonly topic: string; readonly queue: string };

/** A persistent session as it is kept. */
export type StoredSession = {
  readonly id: string;
  readonly clientId: string;
  readonly identity: Identity;
  readonly subscriptions: readonly (readonly [filter: string, qos: QoS])[];
};

/** What the hub counts of messages that it did not see; `receivers` of each. */
export type CountPassed = (messages: number, receivers: number) => void;

/** What the hub gives the broker. The broker knows no routes and no database. */
export type BrokerHost = {
  /** Says who it is, at once or later; `tooMany`: it was not heard, as others or it failed too often. */
  readonly authenticate: (credentials: Credentials, done: (outcome: LoginOutcome) => void) => void;
  readonly mayPublish: (identity: Identity, clientId: string, topic: string) => boolean;
  readonly maySubscribe: (identity: Identity, clientId: string, filter: string) => boolean;
  /** Takes in a message; `settle` tells when it may be acknowledged. */
  readonly publish: (message: Message, settle: Settle) => void;
  /**
   * What counts messages of `origin` on `topic` at QoS 0 that the broker passes on by itself; undefined: a route may
   * take them, and they are to be published.
   */
  readonly passing: (origin: Origin, topic: string) => CountPassed | undefined;
  readonly endpoints: (identity: Identity) => readonly Endpoint[];
  readonly drain: (queue: string, settings: DrainSettings) => Drain;
  readonly sessions: () => readonly StoredSession[];
  readonly saveSession: (session: StoredSession, settle: Settle) => void;
  /** Forgets a persistent session and its queue. */
  readonly forgetSession: (id: string, queue: string, settle: Settle) => void;
};

export type BrokerCounts = {
  connections: number;
  received: number;
  sent: number;
  /** What nobody is owed and a full receiver or store did not get: QoS 0, clean sessions, wills. */
  dropped: number;
  /** Publishes refused by the access rules. */
  refused: number;
};

/** What every connection and handler of one broker shares. */
export type BrokerSettings = {
  readonly host: BrokerHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};
