import { createServer } from 'node:http';
import { HTTP_ARRIVAL_BYTES } from '../../limits.ts';
import { createAcceptor, openServer } from '../server.ts';
import type { Accept, ListenerHost, OpenListener, WebSocketSettings } from '../settings.ts';
import { peerOf } from '../socket.ts';
import { acceptUpgrades, HTTP, refuseRequest } from './upgrade.ts';

/** Opens a listener for MQTT over WebSockets (MQTT 3.1.1, 6). */
export async function listenWebSocket(
  settings: WebSocketSettings,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const server = createServer(HTTP, refuseRequest);
  const acceptor = createAcceptor(server, HTTP_ARRIVAL_BYTES, accept, host);
  acceptUpgrades(server, settings, ({ socket }) => peerOf(socket), acceptor, host);
  return { ...(await openServer(server, settings, 'ws://', host)), ...acceptor };
}
