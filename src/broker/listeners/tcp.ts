import { createServer } from 'node:net';
import { openServer } from './server.ts';
import type { Accept, AddressSettings, ListenerHost, OpenListener } from './settings.ts';
import { peerOf } from './socket.ts';

/** MQTT over TCP (MQTT 3.1.1, 4.2). */
export function listenTcp(
  settings: AddressSettings,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const server = createServer({ noDelay: true }, socket => accept(socket, peerOf(socket)));
  return openServer(server, settings, '', host);
}
