import type { Server, Socket } from 'node:net';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { CLOSE_LINGER_MS } from '../../core/limits.ts';
import { listenWithRetry } from '../../core/net/listen.ts';
import type { Arrival } from './gate.ts';
import type { Accept, AddressSettings, ListenerHost, OpenListener } from './settings.ts';
import type { ClientSocket, Peer } from './socket.ts';

/**
 * Lets `server` listen on a TCP address, which is told with `scheme` before it.
 * @throws Failure `listener.in-use`, `listener.refused`
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
  const chosen = typeof bound === 'object' && bound !== null ? bound.port : port;
  return { address: `${scheme}${host.includes(':') ? `[${host}]` : host}:${chosen}` };
}

/** The way from a server's sockets to the broker. */
export type Entrance = Pick<OpenListener, 'stop' | 'close'> & {
  /** Hands a client to the broker: on the socket that was accepted, or on what was made of it (TLS, a WebSocket). */
  readonly accept: (accepted: Socket, socket: ClientSocket, peer: Peer) => void;
};

/**
 * Brings all sockets of `server` through the gate before anything else is done with them; a handshake costs `cost` bytes
 * of memory. Call it before any other handler of connections is added.
 */
export function openEntrance(
  server: Server,
  cost: number,
  accept: Accept,
  { clock, gate, log }: ListenerHost,
): Entrance {
  let lastError = '';
  server.on('error', error => {
    // Before it listens, whoever opens it is told. After that, an accept failed, and the next may succeed.
    if (!server.listening || error.message === lastError) return;
    lastError = error.message;
    log.warn(`A connection could not be accepted: ${error.message}`);
  });
  const sockets = new Set<Socket>();
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

/** A TLS socket does not tell which socket it is made of, but has the same addresses. */
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
    `Cannot listen on ${host}:${port} (${reasonOf(error)}): change "listeners" in the manifest.`,
  );
}
