import { createServer } from 'node:net';
import { PLAIN_ARRIVAL_BYTES } from '../limits.ts';
import { openEntrance, openServer } from './server.ts';
import type { Accept, AddressSettings, ListenerHost, OpenListener } from './settings.ts';
import { peerOf } from './socket.ts';

/** Opens a listener of MQTT over TCP (MQTT 3.1.1, 4.2). */
export async function listenTcp(
  settings: AddressSettings,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const server = createServer({ noDelay: true });
  const entrance = openEntrance(server, PLAIN_ARRIVAL_BYTES, accept, host);
  server.on('connection', socket => entrance.accept(socket, socket, peerOf(socket)));
  return { ...(await openServer(server, settings, '', host)), ...entrance };
}
