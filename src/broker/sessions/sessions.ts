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

/** Subscriber: a session, or a shared group of which one member gets each message. */
export type Subscriber = Session | SharedGroup;

/** Sessions of a broker and the tree of their subscriptions. */
export type Sessions = {
  readonly subscriptions: SubscriptionTree<Subscriber>;
  readonly find: (clientId: string, identity: Identity) => Session | undefined;
  /** Opens a session. `expiry` is in seconds; 0 means that it ends with its connection. */
  readonly open: (owner: SessionOwner, expiry: number) => Session;
  readonly all: () => IterableIterator<Session>;
  /** Session with this identifier. */
  readonly byId: (id: string) => Session | undefined;
  readonly subscribe: (session: Session, filter: string, subscription: Subscription) => void;
  /** Reason for the log why a subscription exceeds a bound. Undefined if it does not. */
  readonly noRoomFor: (session: Session, filter: string) => string | undefined;
  /** Removes a subscription. Returns false if it did not exist. */
  readonly unsubscribe: (session: Session, filter: string) => boolean;
  /** Called when a session's delivery starts or stops, so that its shared groups resume or pause. */
  readonly deliveryChanged: (session: Session) => void;
  /** Called when its connection has ended: ends the session or starts its expiry. */
  readonly left: (session: Session) => void;
  /** Stores a persistent session. Calls `done` when it is on disk. */
  readonly save: (session: Session, done: OnDurable) => void;
  readonly discard: (session: Session, done: OnDurable) => void;
  /** Checks the access rules of all subscriptions again. */
  readonly recheckPermissions: () => void;
  /** Reason why a holder may not open more persistent sessions. Undefined if it may. */
  readonly noRoomForPersistent: (holder: Holder) => ShareRefusal | undefined;
  readonly count: () => number;
  /** Number of connected sessions. */
  readonly connected: () => number;
  /** Ends sessions that expired during the downtime. Called once, when routes are ready for their wills. */
  readonly begin: () => void;
  readonly stop: () => void;
};

/** Creates the sessions. Stored sessions are restored first, so that they miss no message. */
export function createSessions(host: BrokerHost, clock: Clock): Sessions {
  const sessions = new Map<string, Session>();
  const accepts = (session: Session, topic: string): boolean =>
    !session.restricted || host.mayReceive(session.identity, session.clientId, topic);
  const subscriptions = createSubscriptionTree<Subscriber>(
    (subscriber, topic) => subscriber.kind === 'group' || accepts(subscriber, topic),
  );
  const groups = createSharedGroups(host, subscriptions, accepts);
  const { shares } = host;
  /** Subscriptions that access rules no longer permit. They receive nothing. */
  const withheld = new Map<Session, Set<string>>();
  let cancelSweep: Cancel | undefined;

  const add = (session: Session): Session => {
    sessions.set(session.id, session);
    host.assignQueue(session.queue, session.holder);
    if (session.persistent) shares.sessions.add(session.holder, 1);
    countWill(host, session, session.storedWill);
    return session;
  };

  /** Counts the bytes of a session's subscriptions in its share. */
  const count = (session: Session, bytes: number): void => {
    session.subscriptionBytes += bytes;
    shares.subscriptionBytes.add(session.holder, bytes);
  };

  const keep = (session: Session, filter: string, subscription: Subscription): void => {
    if (!session.subscriptions.has(filter)) count(session, bytesOf(filter));
    session.subscriptions.set(filter, subscription);
  };

  const subscribe = (session: Session, filter: string, subscription: Subscription): void => {
    keep(session, filter, subscription);
    if (!groups.join(session, filter, subscription)) subscriptions.add(filter, session, subscription);
  };

  const leaveTree = (session: Session, filter: string): void => {
    if (!groups.leave(session, filter)) subscriptions.remove(filter, session);
  };

  const discard = (session: Session, done: OnDurable): void => {
    session.pendingWill?.send();
    countWill(host, session, undefined);
    withheld.delete(session);
    for (const filter of session.subscriptions.keys()) leaveTree(session, filter);
    count(session, -session.subscriptionBytes);
    sessions.delete(session.id);
    if (session.persistent) {
      shares.sessions.add(session.holder, -1);
      writer.forget(session);
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

  const withhold = (session: Session, filter: string): void => {
    const filters = withheld.get(session);
    if (filters === undefined) withheld.set(session, new Set([filter]));
    else filters.add(filter);
  };

  /** Applies the current access rules to each subscription. */
  const judge = (session: Session): void => {
    const before = withheld.get(session);
    withheld.delete(session);
    session.restricted = false;
    for (const [filter, subscription] of session.subscriptions) {
      const heard = before?.has(filter) !== true;
      const granted = host.granted(session.identity, session.clientId, filter);
      if (granted === 'some') session.restricted = true;
      if (granted === 'none') {
        withhold(session, filter);
        if (heard && !groups.suspend(session, filter)) subscriptions.remove(filter, session);
      } else if (!heard) subscribe(session, filter, subscription);
    }
  };

  for (const stored of host.sessions.load()) {
    const session = add(restoredSession(stored, host.now()));
    for (const [filter, subscription] of stored.subscriptions) {
      keep(session, filter, subscription);
      withhold(session, filter);
    }
    judge(session);
  }
  purgeStrays(host, sessions);

  return {
    subscriptions,
    find: (clientId, identity) => sessions.get(sessionId(clientId, identity)),
    open: (owner, expiry) => add(newSession(owner, expiry, host.now())),
    all: () => sessions.values(),
    byId: id => sessions.get(id),
    subscribe: (session, filter, subscription) => {
      withheld.get(session)?.delete(filter);
      if (host.granted(session.identity, session.clientId, filter) === 'some') session.restricted = true;
      subscribe(session, filter, subscription);
    },
    unsubscribe: (session, filter) => {
      if (!session.subscriptions.delete(filter)) return false;
      count(session, -bytesOf(filter));
      withheld.get(session)?.delete(filter);
      leaveTree(session, filter);
      return true;
    },
    noRoomFor: (session, filter) => {
      if (session.subscriptions.has(filter)) return undefined;
      if (session.subscriptions.size >= MAX_SUBSCRIPTIONS) return TOO_MANY;
      const bytes = bytesOf(filter);
      if (session.subscriptionBytes + bytes > MAX_SESSION_SUBSCRIPTION_BYTES) return TOO_MUCH;
      return shares.subscriptionBytes.refusal(session.holder, bytes)?.logged;
    },
    deliveryChanged: groups.deliveryChanged,
    left: session => {
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
      for (const session of sessions.values()) judge(session);
    },
    noRoomForPersistent: holder => shares.sessions.refusal(holder, 1),
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
const TOO_MUCH = `the subscriptions of a session may take ${MAX_SESSION_SUBSCRIPTION_BYTES} bytes`;

/** Counted bytes of a subscription. A shared one includes its group. */
function bytesOf(filter: string): number {
  const bytes = SUBSCRIPTION_BYTES + SUBSCRIPTION_UNIT_BYTES * filter.length;
  return sharedQueue(filter) === undefined ? bytes : 2 * bytes;
}

/**
 * Removes the queues of sessions that ended with the last hub and of groups without members. A member that is
 * temporarily denied still counts.
 */
function purgeStrays(host: BrokerHost, sessions: ReadonlyMap<string, Session>): void {
  const owned = new Set(Array.from(sessions.values(), ({ queue }) => queue));
  const shared = new Set<string>();
  for (const { subscriptions } of sessions.values()) {
    for (const filter of subscriptions.keys()) {
      const queue = sharedQueue(filter);
      if (queue !== undefined) shared.add(queue);
    }
  }
  for (const queue of host.queues()) {
    if (queue.startsWith(SESSION_QUEUES) && !owned.has(queue)) host.purge(queue);
    if (queue.startsWith(SHARED_QUEUES) && !shared.has(queue)) host.purge(queue);
  }
}
