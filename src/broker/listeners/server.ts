import type { Server, Socket } from 'node:net';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { CLOSE_LINGER_MS } from '../../core/limits.ts';
import { hostPort } from '../../core/net/host-port.ts';
import { listenWithRetry } from '../../core/net/listen.ts';
import type { Arrival } from './gate.ts';
import type { Accept, AddressSettings, ListenerHost, OpenListener } from './settings.ts';
import type { ClientSocket, Peer } from './socket.ts';

/**
 * Starts `server` on a TCP address. Returns the address with the prefix `scheme`. Throws the Failure
 * `listener.in-use` or `listener.refused`.
 */
export async function openServer(
  server: Server,
  { host, port }: AddressSettings,
  scheme: string,
  { clock }: ListenerHost,
): Promise<Pick<OpenListener, 'address'>> {
  const pause = (milliseconds: number): Promise<void> =>
    new Promise(resolve => clock.after(milliseconds, resolve));
  const error = await listenWithRetry(server, { host, port }, pause);
  if (error !== undefined) throw listenFailure(error, host, port);
  const bound = server.address();
  const actualPort = typeof bound === 'object' && bound !== null ? bound.port : port;
  return { address: `${scheme}${hostPort(host, actualPort)}` };
}

/** Acceptor of one server. Passes its connections through the gate to the broker. */
export type Acceptor = Pick<OpenListener, 'stop' | 'close'> & {
  /**
   * Passes a client to the broker. `socket` is the stream of MQTT packets: the accepted socket itself, or the
   * TLS or WebSocket stream over it.
   */
  readonly accept: (accepted: Socket, socket: ClientSocket, peer: Peer) => void;
};

/**
 * Creates the acceptor of a server. `cost` is the estimated memory of a connection before CONNECT, in bytes.
 * Must be called before other `connection` handlers are added, so that the gate sees each socket first.
 */
export function createAcceptor(
  server: Server,
  cost: number,
  accept: Accept,
  { clock, gate, log }: ListenerHost,
): Acceptor {
  let lastError = '';
  server.on('error', error => {
    // Errors before the server listens are reported by `openServer`. A later error means that one accept has
    // failed. A repeated error is logged once.
    if (!server.listening || error.message === lastError) return;
    lastError = error.message;
    log.warn(`Cannot accept a connection: ${error.message}.`);
  });
  const sockets = new Set<Socket>();
  /** Admitted connections by key of their socket. */
  const arrivals = new Map<Socket | string, Arrival>();
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    const arrival = gate.admit(socket, cost);
    if (arrival === undefined) return;
    sockets.add(socket);
    arrivals.set(key, arrival);
    socket.once('close', () => {
      sockets.delete(socket);
      if (arrivals.get(key) === arrival) arrivals.delete(key);
    });
  });
  const stop = (): void => {
    if (server.listening) server.close();
  };
  return {
    accept: (accepted, socket, peer) => {
      const arrival = arrivals.get(keyOf(accepted));
      if (arrival === undefined) socket.destroy();
      else accept(socket, peer, arrival);
    },
    stop,
    close: async () => {
      stop();
      if (sockets.size === 0) return;
      const cancel = clock.after(CLOSE_LINGER_MS, () => {
        for (const socket of sockets) socket.destroy();
      });
      await Promise.all(Array.from(sockets, socket => new Promise(resolve => socket.once('close', resolve))));
      cancel();
    },
  };
}

/**
 * Returns the key of a connection: the addresses of both ends. The key is the same for an accepted socket and
 * for the TLS socket over it. The key of a Unix socket is the socket itself.
 */
function keyOf(socket: Socket): Socket | string {
  const { remoteAddress, remotePort, localAddress } = socket;
  return remotePort === undefined ? socket : `${remoteAddress} ${remotePort} ${localAddress}`;
}

function listenFailure(error: Error, host: string, port: number): Failure {
  if (systemCode(error) === 'EADDRINUSE') {
    const sentence = `Port ${port} on ${host} is in use by another program: stop it, or change "listeners" in the manifest.`;
    return new Failure('listener.in-use', sentence);
  }
  return new Failure(
    'listener.refused',
    `Cannot listen on ${hostPort(host, port)} (${reasonOf(error)}): change "listeners" in the manifest.`,
  );
}
