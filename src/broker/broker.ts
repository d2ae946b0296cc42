import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { MAX_CONNECTIONS } from '../core/limits.ts';
import type { Message } from '../core/message.ts';
import type { BrokerContext, Connection } from './connection.ts';
import { openConnection } from './connection.ts';
import type { Session } from './session.ts';
import { createSessions } from './session.ts';
import type { BrokerCounts, BrokerSettings } from './types.ts';

/** A TCP address to listen on; port 0 lets the system choose. */
export type Listener = { readonly host: string; readonly port: number };

export type Broker = {
  /** Resolves to the port. Rejects with Failure `listener.in-use` or `listener.refused`. */
  readonly listen: (listener: Listener) => Promise<number>;
  /**
   * Hands a message to its subscribers: at once to those that live in memory; the queues of those that must
   * have it durably are given to `durable`. Returns how many subscribers there are.
   */
  readonly deliver: (message: Message, durable: (queue: string) => void) => number;
  /** Stops listening, so that nobody new comes in. */
  readonly stopListening: () => void;
  readonly close: () => Promise<void>;
  readonly counts: () => Readonly<BrokerCounts>;
};

export function createBroker(settings: BrokerSettings): Broker {
  const counts: BrokerCounts = { connections: 0, received: 0, sent: 0, dropped: 0, refused: 0 };
  const context: BrokerContext = { ...settings, sessions: createSessions(settings.host), counts };
  const connections = new Set<Connection>();
  const servers: Server[] = [];

  const accept = (socket: Socket): void => {
    if (connections.size >= MAX_CONNECTIONS) {
      settings.log.warn(`Refused a connection: ${MAX_CONNECTIONS} are open.`);
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    const connection = openConnection(context, socket, isLoopback(socket.remoteAddress));
    connections.add(connection);
    counts.connections = connections.size;
    socket.once('close', () => {
      connections.delete(connection);
      counts.connections = connections.size;
    });
  };

  const deliverTo = (
    session: Session,
    granted: number,
    message: Message,
    durable: (queue: string) => void,
  ): void => {
    if (granted > 0 && message.qos > 0) {
      if (session.persistent) durable(session.queue);
      else if (!session.backlog.push(message)) counts.dropped++;
      return;
    }
    const dispatch = { topic: message.topic, qos: 0, packetId: 0, dup: false, retain: false } as const;
    // QoS 0 is for who is there and keeps up (MQTT 3.1.1, 4.3.1).
    if (session.connection?.sendPublish(message, dispatch) !== true) counts.dropped++;
  };

  return {
    listen: listener => listen(listener, accept, servers),
    deliver: (message, durable) => {
      const subscribers = context.sessions.subscriptions.match(message.topic);
      for (const [session, granted] of subscribers) deliverTo(session, granted, message, durable);
      return subscribers.size;
    },
    stopListening: () => {
      for (const server of servers) server.close();
    },
    close: async () => {
      for (const connection of connections) connection.close(undefined);
      await Promise.all(servers.map(server => closed(server)));
    },
    counts: () => counts,
  };
}

function listen(
  { host, port }: Listener,
  accept: (socket: Socket) => void,
  servers: Server[],
): Promise<number> {
  const server = createServer({ noDelay: true }, accept);
  return new Promise((resolve, reject) => {
    server.once('error', error => reject(listenFailure(error, host, port)));
    server.listen({ host, port }, () => {
      servers.push(server);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function listenFailure(error: Error, host: string, port: number): Failure {
  if (systemCode(error) === 'EADDRINUSE') {
    const sentence = `Port ${port} on ${host} is in use by another program: stop it, or change "listeners" in the manifest.`;
    return new Failure('listener.in-use', sentence);
  }
  return new Failure(
    'listener.refused',
    `Cannot listen on ${host}:${port} (${reasonOf(error)}): change "listeners" in the manifest.`,
  );
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()));
}

function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
