import type { Holder, ShareRefusal } from '../../core/capacity/shares.ts';
import type { Cancel, Clock } from '../../core/clock.ts';
import { MAX_TIMER_MS } from '../../core/limits.ts';
import type { OnDurable } from '../../core/message.ts';
import {
  MAX_SESSION_SUBSCRIPTION_BYTES,
  MAX_SUBSCRIPTIONS,
  SUBSCRIPTION_BYTES,
  SUBSCRIPTION_UNIT_BYTES,
} from '../limits.ts';
import type { BrokerHost, Identity } from '../types.ts';
import type { Session, SessionOwner } from './session.ts';
import { newSession, restoredSession, SESSION_QUEUES, sessionId } from './session.ts';
import { createSessionWriter } from './session-writer.ts';
import type { SharedGroup } from './shared.ts';
import { createSharedGroups, SHARED_QUEUES, sharedQueue } from './shared.ts';
import type { Subscription, SubscriptionTree } from './subscriptions.ts';
import { createSubscriptionTree } from './subscriptions.ts';
import { countWill } from './wills.ts';

/** Subscriber: a session, or the group of a shared subscription. */
export type Subscriber = Session | SharedGroup;

/** Sessions of a broker, with the tree of their subscriptions. */
export type Sessions = {
  readonly subscriptions: SubscriptionTree<Subscriber>;
  /** Returns the session of a client. Undefined if the client has no session. */
  readonly find: (clientId: string, identity: Identity) => Session | undefined;
  /** Creates a session. `expiry` is in seconds. If `expiry` is 0, the session ends with its connection. */
  readonly open: (owner: SessionOwner, expiry: number) => Session;
  readonly all: () => IterableIterator<Session>;
  /** Returns the session with this identifier. Undefined if no such session exists. */
  readonly byId: (id: string) => Session | undefined;
  /** Adds or replaces a subscription. */
  readonly subscribe: (session: Session, filter: string, subscription: Subscription) => void;
  /**
   * Returns a text for the log about the limit that a further subscription would exceed. Undefined if the
   * subscription would exceed no limit.
   */
  readonly subscriptionRefusal: (session: Session, filter: string) => string | undefined;
  /** Removes a subscription. Returns false if the session has no subscription to `filter`. */
  readonly unsubscribe: (session: Session, filter: string) => boolean;
  /**
   * Called when the delivery of a session starts or stops. Starts or stops the delivery of the queues of the
   * session's shared groups.
   */
  readonly deliveryChanged: (session: Session) => void;
  /** Called when the connection of a session has closed. Ends the session, or starts its expiry. */
  readonly connectionClosed: (session: Session) => void;
  /** Stores a persistent session. Calls `done` when the session is on disk. */
  readonly save: (session: Session, done: OnDurable) => void;
  /** Deletes a session and its queue. Calls `done` when the deletion is on disk. */
  readonly discard: (session: Session, done: OnDurable) => void;
  /** Applies the current access rules to all subscriptions. */
  readonly recheckPermissions: () => void;
  /**
   * Returns the reason why a holder (the user, module or address whose share is charged) cannot have a
   * further persistent session. Undefined if the share permits a further session.
   */
  readonly persistentSessionRefusal: (holder: Holder) => ShareRefusal | undefined;
  /** Returns the number of sessions. */
  readonly count: () => number;
  /** Returns the number of sessions whose client is connected. */
  readonly connected: () => number;
  /**
   * Called when the routes are ready after a start of the hub, and when hub time (the hub's own clock for
   * TTLs) has advanced by the downtime. Ends expired sessions, and publishes their wills.
   */
  readonly begin: () => void;
  readonly stop: () => void;
};

/**
 * Creates the registry of sessions, and restores the stored sessions. Must be called before a message can
 * arrive.
 */
export function createSessions(host: BrokerHost, clock: Clock): Sessions {
  const sessions = new Map<string, Session>();
  const accepts = (session: Session, topic: string): boolean =>
    !session.restricted || host.mayReceive(session.identity, session.clientId, topic);
  const subscriptions = createSubscriptionTree<Subscriber>(
    (subscriber, topic) => subscriber.kind === 'group' || accepts(subscriber, topic),
  );
  const groups = createSharedGroups(host, subscriptions, accepts);
  const { shares } = host;
  /**
   * Topic filters of subscriptions that access rules deny. Denied subscriptions stay in the session, but are
   * removed from the tree. When the rules permit a subscription again, the subscription is added to the tree
   * again.
   */
  const deniedFilters = new Map<Session, Set<string>>();
  let cancelSweep: Cancel | undefined;

  const add = (session: Session): Session => {
    sessions.set(session.id, session);
    host.assignQueue(session.queue, session.holder);
    if (session.persistent) shares.sessions.add(session.holder, 1);
    countWill(host, session, session.storedWill);
    return session;
  };

  /** Adds bytes to the session's subscription memory and to the share of its holder. */
  const countBytes = (session: Session, bytes: number): void => {
    session.subscriptionBytes += bytes;
    shares.subscriptionBytes.add(session.holder, bytes);
  };

  const addToSession = (session: Session, filter: string, subscription: Subscription): void => {
    if (!session.subscriptions.has(filter)) countBytes(session, bytesOf(filter));
    session.subscriptions.set(filter, subscription);
  };

  const subscribe = (session: Session, filter: string, subscription: Subscription): void => {
    addToSession(session, filter, subscription);
    if (!groups.join(session, filter, subscription)) subscriptions.add(filter, session, subscription);
  };

  const removeFromTree = (session: Session, filter: string): void => {
    if (!groups.leave(session, filter)) subscriptions.remove(filter, session);
  };

  const discard = (session: Session, done: OnDurable): void => {
    session.pendingWill?.send();
    countWill(host, session, undefined);
    deniedFilters.delete(session);
    for (const filter of session.subscriptions.keys()) removeFromTree(session, filter);
    countBytes(session, -session.subscriptionBytes);
    sessions.delete(session.id);
    if (session.persistent) {
      shares.sessions.add(session.holder, -1);
      writer.cancel(session);
      host.sessions.remove(session.id, session.queue, done);
      return;
    }
    host.purge(session.queue);
    done();
  };

  /** Ends expired sessions and schedules the next expiry. */
  const sweep = (): void => {
    cancelSweep?.();
    const now = host.now();
    let next = Number.POSITIVE_INFINITY;
    for (const session of sessions.values()) {
      if (session.ends === undefined) continue;
      if (session.ends <= now) discard(session, () => {});
      else next = Math.min(next, session.ends);
    }
    if (next === Number.POSITIVE_INFINITY) return;
    cancelSweep = clock.after(Math.min(next - now, MAX_TIMER_MS), sweep);
  };

  const writer = createSessionWriter(host.sessions);
  const save = (session: Session, done: OnDurable): void => {
    if (session.persistent) writer.save(session, done);
    else done();
  };

  const denyFilter = (session: Session, filter: string): void => {
    const filters = deniedFilters.get(session);
    if (filters === undefined) deniedFilters.set(session, new Set([filter]));
    else filters.add(filter);
  };

  /**
   * Removes from the tree the session's subscriptions that access rules deny. Adds to the tree the
   * subscriptions that access rules permit again.
   */
  const applyAccessRules = (session: Session): void => {
    const deniedBefore = deniedFilters.get(session);
    deniedFilters.delete(session);
    session.restricted = false;
    for (const [filter, subscription] of session.subscriptions) {
      const wasActive = deniedBefore?.has(filter) !== true;
      const granted = host.granted(session.identity, session.clientId, filter);
      if (granted === 'some') session.restricted = true;
      if (granted === 'none') {
        denyFilter(session, filter);
        if (wasActive && !groups.suspend(session, filter)) subscriptions.remove(filter, session);
      } else if (!wasActive) subscribe(session, filter, subscription);
    }
  };

  for (const stored of host.sessions.load()) {
    const session = add(restoredSession(stored, host.now()));
    for (const [filter, subscription] of stored.subscriptions) {
      addToSession(session, filter, subscription);
      denyFilter(session, filter);
    }
    applyAccessRules(session);
  }
  purgeOrphanQueues(host, sessions);

  return {
    subscriptions,
    find: (clientId, identity) => sessions.get(sessionId(clientId, identity)),
    open: (owner, expiry) => add(newSession(owner, expiry, host.now())),
    all: () => sessions.values(),
    byId: id => sessions.get(id),
    subscribe: (session, filter, subscription) => {
      deniedFilters.get(session)?.delete(filter);
      if (host.granted(session.identity, session.clientId, filter) === 'some') session.restricted = true;
      subscribe(session, filter, subscription);
    },
    unsubscribe: (session, filter) => {
      if (!session.subscriptions.delete(filter)) return false;
      countBytes(session, -bytesOf(filter));
      deniedFilters.get(session)?.delete(filter);
      removeFromTree(session, filter);
      return true;
    },
    subscriptionRefusal: (session, filter) => {
      if (session.subscriptions.has(filter)) return undefined;
      if (session.subscriptions.size >= MAX_SUBSCRIPTIONS) return TOO_MANY;
      const bytes = bytesOf(filter);
      if (session.subscriptionBytes + bytes > MAX_SESSION_SUBSCRIPTION_BYTES) return TOO_MANY_BYTES;
      return shares.subscriptionBytes.refusal(session.holder, bytes)?.logged;
    },
    deliveryChanged: groups.deliveryChanged,
    connectionClosed: session => {
      groups.deliveryChanged(session);
      if (session.expiry === 0) {
        discard(session, () => {});
        return;
      }
      if (session.expiry === Number.POSITIVE_INFINITY) return;
      session.ends = host.now() + session.expiry * 1000;
      save(session, () => {});
      sweep();
    },
    save,
    discard,
    recheckPermissions: () => {
      for (const session of sessions.values()) applyAccessRules(session);
    },
    persistentSessionRefusal: holder => shares.sessions.refusal(holder, 1),
    count: () => sessions.size,
    connected: () => {
      let connected = 0;
      for (const { connection } of sessions.values()) if (connection !== undefined) connected++;
      return connected;
    },
    begin: sweep,
    stop: () => {
      cancelSweep?.();
      for (const { pendingWill } of sessions.values()) pendingWill?.stop();
    },
  };
}

const TOO_MANY = `a session may have ${MAX_SUBSCRIPTIONS} subscriptions`;
const TOO_MANY_BYTES = `the subscriptions of a session may take ${MAX_SESSION_SUBSCRIPTION_BYTES} bytes`;

/**
 * Returns the estimated memory of a subscription in bytes. A shared subscription counts twice: once for the
 * session and once for its group.
 */
function bytesOf(filter: string): number {
  const bytes = SUBSCRIPTION_BYTES + SUBSCRIPTION_UNIT_BYTES * filter.length;
  return sharedQueue(filter) === undefined ? bytes : 2 * bytes;
}

/**
 * Removes the queues of sessions that were not restored, and the queues of shared groups to which no session
 * is subscribed. A subscription that access rules deny also counts, because the rules can permit the
 * subscription again.
 */
function purgeOrphanQueues(host: BrokerHost, sessions: ReadonlyMap<string, Session>): void {
  const ofSessions = new Set(Array.from(sessions.values(), ({ queue }) => queue));
  const ofGroups = new Set<string>();
  for (const { subscriptions } of sessions.values()) {
    for (const filter of subscriptions.keys()) {
      const queue = sharedQueue(filter);
      if (queue !== undefined) ofGroups.add(queue);
    }
  }
  for (const queue of host.queues()) {
    if (queue.startsWith(SESSION_QUEUES) && !ofSessions.has(queue)) host.purge(queue);
    if (queue.startsWith(SHARED_QUEUES) && !ofGroups.has(queue)) host.purge(queue);
  }
}
