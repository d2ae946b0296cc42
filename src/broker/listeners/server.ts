import type { Server, Socket } from 'node:net';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { CLOSE_LINGER, MAX_CONNECTIONS } from '../../core/limits.ts';
import { listenPatiently } from '../../core/listen.ts';
import type { AddressSettings, ListenerHost, OpenListener } from './settings.ts';

/**
 * Lets `server` listen on a TCP address, which is told with `scheme` before it.
 * @throws Failure `listener.in-use`, `listener.refused`
 */
export async function openServer(
  server: Server,
  { host, port }: AddressSettings,
  scheme: string,
  { clock }: ListenerHost,
): Promise<OpenListener> {
  const closing = closingOf(server, clock);
  const pause = (milliseconds: number): Promise<void> =>
    new Promise(resolve => clock.after(milliseconds, resolve));
  const error = await listenPatiently(server, { host, port }, pause);
  if (error !== undefined) throw listenFailure(error, host, port);
  const bound = server.address();
  const chosen = typeof bound === 'object' && bound !== null ? bound.port : port;
  return { address: `${scheme}${host.includes(':') ? `[${host}]` : host}:${chosen}`, ...closing };
}

/** How a server ends, also with peers that came in and never got as far as being a client. */
export function closingOf(
  server: Server,
  clock: ListenerHost['clock'],
): Pick<OpenListener, 'stop' | 'close'> {
  // Those who are only about to come in (a TLS handshake, an HTTP request) are no connections of the broker yet.
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const stop = (): void => {
    if (server.listening) server.close();
  };
  return {
    stop,
    close: async () => {
      stop();
      if (sockets.size === 0) return;
      const cancel = clock.after(CLOSE_LINGER, () => {
        for (const socket of sockets) socket.destroy();
      });
      await Promise.all(Array.from(sockets, socket => new Promise(resolve => socket.once('close', resolve))));
      cancel();
    },
  };
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
