import { createServer } from 'node:net';
import { PLAIN_ARRIVAL_BYTES } from '../limits.ts';
import { createAcceptor, openServer } from './server.ts';
import type { Accept, AddressSettings, ListenerHost, OpenListener } from './settings.ts';
import { peerOf } from './socket.ts';

/** Opens a listener for MQTT over TCP (MQTT 3.1.1, 4.2). */
export async function listenTcp(
  settings: AddressSettings,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const server = createServer({ noDelay: true });
  const acceptor = createAcceptor(server, PLAIN_ARRIVAL_BYTES, accept, host);
  server.on('connection', socket => acceptor.accept(socket, socket, peerOf(socket)));
  return { ...(await openServer(server, settings, '', host)), ...acceptor };
}
