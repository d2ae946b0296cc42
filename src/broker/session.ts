import { MAX_PERSISTENT_SESSIONS } from '../core/limits.ts';
import type { QoS, Settle } from '../core/message.ts';
import type { Backlog } from './backlog.ts';
import { createBacklog } from './backlog.ts';
import type { Connection } from './connection.ts';
import type { SubscriptionTree } from './subscriptions.ts';
import { createSubscriptionTree } from './subscriptions.ts';
import type { BrokerHost, Identity } from './types.ts';

/** What the broker knows of one client, beyond its connection if it is persistent (MQTT 3.1.1, 3.1.2.4). */
export type Session = {
  /** Its key: a module has one session, whatever client identifier it chooses; so has each identifier of a user. */
  readonly id: string;
  readonly clientId: string;
  readonly identity: Identity;
  readonly subscriptions: Map<string, QoS>;
  connection: Connection | undefined;
} & (
  | { readonly persistent: true; readonly queue: string }
  | { readonly persistent: false; readonly backlog: Backlog }
);

/** All sessions of a broker, and the one tree of their subscriptions. */
export type Sessions = {
  readonly subscriptions: SubscriptionTree<Session>;
  readonly find: (clientId: string, identity: Identity) => Session | undefined;
  readonly open: (clientId: string, identity: Identity, persistent: boolean) => Session;
  readonly subscribe: (session: Session, filter: string, qos: QoS) => void;
  readonly unsubscribe: (session: Session, filter: string) => void;
  /** Keeps what changed, if the session is persistent; `done` when it is on disk. */
  readonly save: (session: Session, done: Settle) => void;
  readonly discard: (session: Session, done: Settle) => void;
  /** False: as many persistent sessions are kept as may be. */
  readonly roomForPersistent: () => boolean;
};

/** Sessions that were kept are known from the start, so nothing for them is missed. */
export function createSessions(host: BrokerHost): Sessions {
  const sessions = new Map<string, Session>();
  const subscriptions = createSubscriptionTree<Session>();
  let persistent = 0;

  const open = (clientId: string, identity: Identity, kept: boolean): Session => {
    const id = sessionId(clientId, identity);
    const base = { id, clientId, identity, subscriptions: new Map<string, QoS>(), connection: undefined };
    const session: Session = kept
      ? { ...base, persistent: true, queue: `session/${id}` }
      : { ...base, persistent: false, backlog: createBacklog() };
    sessions.set(id, session);
    if (session.persistent) persistent++;
    return session;
  };

  const subscribe = (session: Session, filter: string, qos: QoS): void => {
    session.subscriptions.set(filter, qos);
    subscriptions.add(filter, session, qos);
  };

  for (const stored of host.sessions()) {
    const session = open(stored.clientId, stored.identity, true);
    for (const [filter, qos] of stored.subscriptions) {
      // What it was granted once it may not be granted any more.
      if (host.maySubscribe(stored.identity, stored.clientId, filter)) subscribe(session, filter, qos);
    }
  }

  return {
    subscriptions,
    find: (clientId, identity) => sessions.get(sessionId(clientId, identity)),
    open,
    subscribe,
    unsubscribe: (session, filter) => {
      session.subscriptions.delete(filter);
      subscriptions.remove(filter, session);
    },
    save: (session, done) => {
      if (!session.persistent) return done();
      const { id, clientId, identity } = session;
      host.saveSession({ id, clientId, identity, subscriptions: Array.from(session.subscriptions) }, done);
    },
    discard: (session, done) => {
      for (const filter of session.subscriptions.keys()) subscriptions.remove(filter, session);
      sessions.delete(session.id);
      if (session.persistent) persistent--;
      if (session.persistent) host.forgetSession(session.id, session.queue, done);
      else done();
    },
    roomForPersistent: () => persistent < MAX_PERSISTENT_SESSIONS,
  };
}

/** Client identifiers are each user's own: who chooses that of another does not get what waits for him. */
function sessionId(clientId: string, identity: Identity): string {
  if (identity.kind === 'module') return `module:${identity.module}`;
  return identity.user === undefined ? `client:${clientId}` : `user:${identity.user}:${clientId}`;
}
