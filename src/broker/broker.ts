import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { MAX_CONNECTIONS } from '../core/limits.ts';
import type { Message } from '../core/message.ts';
import { fault, REASON } from '../mqtt/reasons.ts';
import type { BrokerContext, Connection } from './connection.ts';
import { openConnection } from './connection.ts';
import type { Durable } from './outbound/deliver.ts';
import { deliver } from './outbound/deliver.ts';
import { createSessions } from './sessions/sessions.ts';
import { startSys } from './sys.ts';
import type { BrokerCounts, BrokerSettings, Peer } from './types.ts';

/** A TCP address to listen on; port 0 lets the system choose. */
export type Listener = { readonly host: string; readonly port: number };

export type Broker = {
  /** Resolves to the port. Rejects with Failure `listener.in-use` or `listener.refused`. */
  readonly listen: (listener: Listener) => Promise<number>;
  /**
   * Hands a message to its subscribers: at once to those that live in memory; the queues of those that must
   * have it durably are added to `durable`. Returns how many subscribers there are.
   */
  readonly deliver: (message: Message, durable: Durable) => number;
  /** Stops listening, so that nobody new comes in. */
  readonly stopListening: () => void;
  readonly close: () => Promise<void>;
  readonly counts: () => Readonly<BrokerCounts>;
};

/** What clients of MQTT 5 are told when the hub stops. */
const SHUTTING_DOWN = fault(REASON.serverShuttingDown, '');

export function createBroker(settings: BrokerSettings): Broker {
  const counts: BrokerCounts = { connections: 0, received: 0, sent: 0, dropped: 0, refused: 0 };
  const sessions = createSessions(settings.host, settings.clock);
  const sys = startSys({ ...settings, sessions, counts });
  const context: BrokerContext = { ...settings, sessions, counts, retained: sys.retained };
  const connections = new Set<Connection>();
  const servers: Server[] = [];

  const accept = (socket: Duplex, peer: Peer): void => {
    if (connections.size >= MAX_CONNECTIONS) {
      settings.log.warn(`Refused a connection: ${MAX_CONNECTIONS} are open.`);
      socket.destroy();
      return;
    }
    const connection = openConnection(context, socket, peer);
    connections.add(connection);
    counts.connections = connections.size;
    socket.once('close', () => {
      connections.delete(connection);
      counts.connections = connections.size;
    });
  };

  return {
    listen: listener => listen(listener, accept, servers),
    deliver: (message, durable) => deliver(context, message, durable),
    stopListening: () => {
      for (const server of servers) server.close();
    },
    close: async () => {
      for (const connection of connections) connection.close(SHUTTING_DOWN);
      sys.stop();
      sessions.stop();
      await Promise.all(servers.map(server => closed(server)));
    },
    counts: () => counts,
  };
}

function listen(
  { host, port }: Listener,
  accept: (socket: Duplex, peer: Peer) => void,
  servers: Server[],
): Promise<number> {
  const server = createServer({ noDelay: true }, socket => accept(socket, peerOf(socket)));
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

function peerOf({ remoteAddress = 'unknown' }: Socket): Peer {
  return { local: isLoopback(remoteAddress), address: remoteAddress, certificate: undefined };
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
