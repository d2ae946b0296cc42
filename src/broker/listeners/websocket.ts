import { createServer } from 'node:http';
import { openServer } from './server.ts';
import type { Accept, ListenerHost, OpenListener, WebSocketSettings } from './settings.ts';
import { peerOf } from './socket.ts';
import { HTTP, refuseRequest, takeUpgrades } from './upgrade.ts';

/** MQTT over WebSockets (MQTT 3.1.1, 6). */
export async function listenWebSocket(
  settings: WebSocketSettings,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const server = createServer(HTTP, refuseRequest);
  takeUpgrades(server, settings, ({ socket }) => peerOf(socket), accept, host);
  return openServer(server, settings, 'ws://', host);
}
