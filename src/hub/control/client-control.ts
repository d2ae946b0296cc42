import type { Inspection } from '../../broker/inspection.ts';
import type { Session } from '../../broker/sessions/session.ts';
import type { Holder } from '../../core/capacity/shares.ts';
import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { OnDurable, QoS } from '../../core/message.ts';
import { matches } from '../../core/topic-filter.ts';
import { isTopicFilter } from '../../mqtt/topics.ts';
import type { Store } from '../../queue/types.ts';

/** Maximum number of rows in one control reply. A row with long names can have 2 KB. */
export const MAX_LISTED = 200;

/** Maximum number of subscriptions in one control reply. */
const MAX_SHOWN_FILTERS = 200;

/**
 * Maximum length of a topic filter in a control reply, in UTF-16 code units. A longer filter is truncated.
 */
const MAX_SHOWN_FILTER = 256;

/**
 * Maximum number of sessions or retained messages that one batch removes. The event loop runs between two
 * batches.
 */
const REMOVED_AT_ONCE = 64;

/** Rows of one page of a list, and the total number of rows in the list. */
export type Page<Row> = { readonly total: number; readonly rows: readonly Row[] };

export type SessionRow = {
  /** Identifier of the session. The functions `show` and `drop` accept this identifier. */
  readonly id: string;
  readonly clientId: string;
  readonly holder: Holder;
  readonly connected: boolean;
  readonly persistent: boolean;
  /** Seconds since the session was created. Undefined if an older version of the hub created the session. */
  readonly ageSeconds: number | undefined;
  /** Session Expiry Interval in seconds. Undefined if the session does not expire. */
  readonly expirySeconds: number | undefined;
  readonly subscriptions: number;
  readonly subscriptionBytes: number;
  readonly waitingMessages: number;
  readonly waitingBytes: number;
  /** Age of the oldest waiting message in seconds. Undefined if the queue is empty. */
  readonly oldestSeconds: number | undefined;
};

export type ShownSession = SessionRow & {
  /** First subscriptions of the session: at most MAX_SHOWN_FILTERS. */
  readonly filters: readonly { readonly filter: string; readonly qos: QoS }[];
};

export type ClientRow = {
  /** Identifier of the session. The function `kick` accepts this identifier. */
  readonly id: string;
  readonly clientId: string;
  readonly holder: Holder;
  readonly address: string;
  readonly mqttVersion: number;
  readonly connectedSeconds: number;
  /** Bytes in the client's output buffer. */
  readonly unsentBytes: number;
};

export type RetainedRow = {
  readonly topic: string;
  readonly holder: Holder;
  readonly bytes: number;
  readonly ageSeconds: number | undefined;
  /** Seconds until the message expires. Undefined if the message does not expire. */
  readonly remainingSeconds: number | undefined;
};

/**
 * Actions of the operator on clients, sessions and retained messages. Lists are sorted by holder (the user,
 * module or address whose share of a resource is charged). The holder with the largest total is first.
 */
export type ClientControl = {
  readonly sessions: (offset: number) => Page<SessionRow>;
  /**
   * Returns one session with its subscriptions. Throws Failure `session.unknown` if the session does not
   * exist.
   */
  readonly show: (id: string) => ShownSession;
  readonly drop: (id: string) => Promise<void>;
  /** Drops all sessions of a holder. Resolves to the number of dropped sessions. */
  readonly dropAll: (holder: Holder) => Promise<number>;
  readonly clients: (offset: number) => Page<ClientRow>;
  /** Closes the connection of a session. Throws Failure `client.unknown` if no client is connected. */
  readonly kick: (id: string) => void;
  readonly retained: (offset: number) => Page<RetainedRow>;
  /**
   * Removes the retained messages whose topics match a filter. Resolves to the number of removed messages.
   * Throws Failure `usage` if the filter is invalid.
   */
  readonly clear: (filter: string) => Promise<number>;
};

export type ClientControlHost = {
  readonly clock: Clock;
  readonly store: Pick<Store, 'now' | 'retained' | 'statsOf' | 'sizeOf'>;
  readonly broker: Inspection;
};

export function controlClients({ clock, store, broker }: ClientControlHost): ClientControl {
  const { retained } = store;

  const rowOf = (session: Session): SessionRow => {
    const { opened, expiry, queue } = session;
    const { depth = 0, bytes = 0, oldestMs } = store.statsOf(queue) ?? {};
    return {
      id: session.id,
      clientId: session.clientId,
      holder: session.holder,
      connected: session.connection !== undefined,
      persistent: session.persistent,
      ageSeconds: secondsOf(opened === undefined ? undefined : store.now() - opened),
      expirySeconds: Number.isFinite(expiry) ? expiry : undefined,
      subscriptions: session.subscriptions.size,
      subscriptionBytes: session.subscriptionBytes,
      waitingMessages: depth,
      waitingBytes: bytes,
      oldestSeconds: secondsOf(oldestMs),
    };
  };

  const clientOf = (session: Session): ClientRow | undefined => {
    const { connection } = session;
    return (
      connection && {
        id: session.id,
        clientId: session.clientId,
        holder: session.holder,
        address: connection.peer.address,
        mqttVersion: connection.version,
        connectedSeconds: Math.floor((clock.monotonic() - session.connectedAt) / 1000),
        unsentBytes: connection.output.waiting(),
      }
    );
  };

  /**
   * Finds a session by its id or its client identifier. Throws Failure `session.unknown` if several sessions
   * have this client identifier.
   */
  const find = (id: string): Session | undefined => {
    const all = broker.sessions();
    const exact = all.find(session => session.id === id);
    const [first, ...others] = exact === undefined ? all.filter(({ clientId }) => clientId === id) : [exact];
    if (others.length === 0) return first;
    throw new Failure(
      'session.unknown',
      `${others.length + 1} sessions have the client identifier "${id}": use the ID of a session.`,
    );
  };

  const known = (id: string): Session => {
    const session = find(id);
    if (session !== undefined) return session;
    throw new Failure('session.unknown', `There is no session "${id}": "skerry sessions" lists them.`);
  };

  return {
    sessions: offset => {
      const size = (session: Session): number =>
        1 + session.subscriptionBytes + store.sizeOf(session.queue).bytes;
      return pageOf(broker.sessions(), size, ({ id }) => id, offset, rowOf);
    },
    show: id => {
      const session = known(id);
      const filters = Array.from(session.subscriptions)
        .slice(0, MAX_SHOWN_FILTERS)
        .map(([filter, { qos }]) => ({ filter: filter.slice(0, MAX_SHOWN_FILTER), qos }));
      return { ...rowOf(session), filters };
    },
    drop: id => {
      const session = known(id);
      return settled(settle => broker.drop(session, settle));
    },
    dropAll: holder =>
      inBatches(
        broker.sessions().filter(one => one.holder === holder),
        broker.drop,
      ),
    clients: offset => {
      const rows = broker.sessions().flatMap(session => clientOf(session) ?? []);
      return pageOf(
        rows,
        ({ unsentBytes }) => 1 + unsentBytes,
        ({ id }) => id,
        offset,
        row => row,
      );
    },
    kick: id => {
      const session = find(id);
      if (session?.connection === undefined)
        throw new Failure('client.unknown', `No client "${id}" is connected: "skerry clients" lists them.`);
      broker.kick(session);
    },
    retained: offset =>
      pageOf(
        retained.list(),
        ({ bytes }) => bytes,
        ({ topic }) => topic,
        offset,
        one => ({
          topic: one.topic,
          holder: one.holder,
          bytes: one.bytes,
          ageSeconds: secondsOf(one.age),
          remainingSeconds: secondsOf(one.remaining),
        }),
      ),
    clear: filter => {
      if (!isTopicFilter(filter)) throw new Failure('usage', `"${filter}" is not a topic filter.`);
      const topics = retained.topics('').filter(topic => matches(filter, topic));
      return inBatches(topics, retained.clear);
    },
  };
}

/**
 * Returns at most MAX_LISTED rows, beginning with row `offset`. The items of a holder are listed together.
 * The holder with the largest total size is first. Among the items of a holder, the largest item is first.
 */
function pageOf<Item extends { readonly holder: Holder }, Row>(
  items: readonly Item[],
  size: (item: Item) => number,
  name: (item: Item) => string,
  offset: number,
  row: (item: Item) => Row,
): Page<Row> {
  const totals = new Map<Holder, number>();
  for (const item of items) totals.set(item.holder, (totals.get(item.holder) ?? 0) + size(item));
  const totalOf = ({ holder }: Item): number => totals.get(holder) ?? 0;
  const sorted = items.toSorted(
    (one, other) =>
      totalOf(other) - totalOf(one) ||
      compare(one.holder, other.holder) ||
      size(other) - size(one) ||
      compare(name(one), name(other)),
  );
  return { total: items.length, rows: sorted.slice(offset, offset + MAX_LISTED).map(row) };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

async function inBatches<Item>(
  items: readonly Item[],
  remove: (item: Item, settle: OnDurable) => void,
): Promise<number> {
  for (let at = 0; at < items.length; at += REMOVED_AT_ONCE) {
    const batch = items.slice(at, at + REMOVED_AT_ONCE);
    await Promise.all(batch.map(item => settled(settle => remove(item, settle))));
  }
  return items.length;
}

function settled(begin: (settle: OnDurable) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    begin(error => (error === undefined ? resolve() : reject(error)));
  });
}

function secondsOf(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.floor(milliseconds / 1000);
}
