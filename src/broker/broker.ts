import { moduleReserve } from '../core/capacity/shares.ts';
import type { Message } from '../core/message.ts';
import { createSocketMemory } from '../core/net/socket-memory.ts';
import { protocolError, REASON } from '../mqtt/reasons.ts';
import type { Connection, ListenerClients } from './connection/connection.ts';
import { openConnection } from './connection/open-connection.ts';
import type { BrokerContext } from './context.ts';
import { createIncompletePackets } from './inbound/incomplete-packets.ts';
import type { Inspection } from './inspection.ts';
import { inspectionOf } from './inspection.ts';
import { connectionCapacity } from './listeners/capacity.ts';
import { createGate } from './listeners/gate.ts';
import { listen } from './listeners/listen.ts';
import type { Accept, ListenerSettings, OpenListener } from './listeners/settings.ts';
import type { Durable } from './outbound/deliver.ts';
import { deliver } from './outbound/deliver.ts';
import { attachInputs } from './outbound/inputs.ts';
import { createSessions } from './sessions/sessions.ts';
import { resumeWill } from './sessions/wills.ts';
import { startSys } from './sys.ts';
import type { BrokerCounts, BrokerFigures, BrokerSettings, Identity } from './types.ts';

export type Broker = {
  /** Opens a listener. The promise rejects with the Failure `listener.in-use` or `listener.refused`. */
  readonly listen: (settings: ListenerSettings) => Promise<OpenListener>;
  /**
   * Delivers a message to its subscribers, and returns the number of subscribers. If the message must be
   * stored for a subscriber, adds the name of the subscriber's queue to `durable`. The caller must store the
   * message in these queues. Sends the message directly to all other subscribers.
   */
  readonly deliver: (message: Message, durable: Durable) => number;
  /**
   * Called after the start of the hub, when the routes are ready. Publishes or schedules the stored wills,
   * and ends expired sessions. Only the first call has an effect.
   */
  readonly begin: () => void;
  /**
   * Called when hub time (the hub's own clock for TTLs) has advanced by the downtime of the hub. Publishes
   * wills whose delay has elapsed, and ends expired sessions.
   */
  readonly timeAdvanced: () => void;
  /**
   * Called when routes or module inputs have changed. Discards cached routes, and starts or stops the
   * delivery of module inputs.
   */
  readonly routesChanged: () => void;
  /**
   * Called when access rules have changed. Disconnects each client if `known` returns false for the identity
   * of the client. Then checks all subscriptions against the new rules.
   */
  readonly accessChanged: (known: (identity: Identity) => boolean) => void;
  /** Closes the listening sockets. Connections stay open. */
  readonly stopListening: () => void;
  readonly close: () => Promise<void>;
  readonly counts: () => BrokerFigures;
  readonly inspection: Inspection;
};

/** DISCONNECT reason at shutdown. */
const SHUTTING_DOWN = protocolError(REASON.serverShuttingDown, '');

/** DISCONNECT reason for a client whose user or module was removed from the manifest. */
const UNKNOWN = protocolError(REASON.notAuthorized, 'the manifest no longer permits this client');

export function createBroker(settings: BrokerSettings): Broker {
  const counts: BrokerCounts = { connections: 0, received: 0, sent: 0, dropped: 0, refused: 0 };
  const sessions = createSessions(settings.host, settings.clock);
  const { budget, pressure } = settings.host;
  const publishers: BrokerContext['publishers'] = new Set();
  const shared = {
    ...settings,
    sessions,
    counts,
    publishers,
    outgoing: createSocketMemory(budget.outgoing),
    incompletePackets: createIncompletePackets(budget.incoming),
    backlog: { max: budget.backlog, bytes: 0 },
  };
  const sys = startSys(shared);
  const context: BrokerContext = { ...shared, retained: sys.retained };
  const connections = new Set<Connection>();
  const listeners = new Set<OpenListener>();
  const { clock, log } = settings;
  const systemCapacity = connectionCapacity(log);
  const capacity = (): number => {
    const { connections: clients } = settings.host.limits();
    return Math.min(systemCapacity.all, clients + moduleReserve(clients));
  };
  const gate = createGate({ clock, log, capacity, bytes: settings.host.budget.arrivals });
  // When the back-pressure of the store becomes high, pauses all publishers until the back-pressure is low.
  // Data that was already read stays buffered.
  pressure.onHigh(() => {
    for (const publisher of publishers) {
      publisher.pause();
      pressure.whenLow(publisher.resume);
    }
    publishers.clear();
  });

  /** Creates the accept function of one listener. The function counts the listener's clients. */
  const acceptFor = ({ maxConnections: max = Number.POSITIVE_INFINITY }: ListenerSettings): Accept => {
    const listener: ListenerClients = { max, clients: 0 };
    return (socket, peer, arrival) => {
      const connection = openConnection(context, socket, peer, arrival, listener);
      connections.add(connection);
      counts.connections = connections.size;
      socket.once('close', () => {
        connections.delete(connection);
        counts.connections = connections.size;
      });
    };
  };

  const routesChanged = (): void => {
    sessions.subscriptions.invalidate();
    for (const { session } of connections) if (session !== undefined) attachInputs(session, context);
  };

  let started = false;
  const begin = (): void => {
    if (started) return;
    started = true;
    for (const session of sessions.all()) resumeWill(context, session);
    sessions.begin();
  };

  const timeAdvanced = (): void => {
    if (!started) return;
    for (const { pendingWill } of sessions.all()) pendingWill?.timeAdvanced();
    sessions.begin();
  };

  return {
    begin,
    timeAdvanced,
    routesChanged,
    listen: async requested => {
      const listener = await listen(requested, acceptFor(requested), { clock, log, gate });
      listeners.add(listener);
      return {
        ...listener,
        close: () => {
          listeners.delete(listener);
          return listener.close();
        },
      };
    },
    deliver: (message, durable) => deliver(context, message, durable),
    accessChanged: known => {
      for (const connection of connections) {
        const { session } = connection;
        if (session !== undefined && !known(session.identity)) connection.close(UNKNOWN);
      }
      sessions.recheckPermissions();
      routesChanged();
    },
    stopListening: () => {
      for (const listener of listeners) listener.stop();
    },
    close: async () => {
      for (const connection of connections) connection.close(SHUTTING_DOWN);
      sys.stop();
      sessions.stop();
      await Promise.all(Array.from(listeners, listener => listener.close()));
    },
    counts: () => ({
      ...counts,
      sessions: sessions.count(),
      subscriptions: sessions.subscriptions.count(),
    }),
    inspection: inspectionOf(sessions),
  };
}
