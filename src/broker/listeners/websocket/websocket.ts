import { createServer } from 'node:http';
import { HTTP_ARRIVAL_BYTES } from '../../limits.ts';
import { openEntrance, openServer } from '../server.ts';
import type { Accept, ListenerHost, OpenListener, WebSocketSettings } from '../settings.ts';
import { peerOf } from '../socket.ts';
import { HTTP, refuseRequest, takeUpgrades } from './upgrade.ts';

/** Opens a listener of MQTT over WebSockets (MQTT 3.1.1, 6). */
export async function listenWebSocket(
  settings: WebSocketSettings,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const server = createServer(HTTP, refuseRequest);
  const entrance = openEntrance(server, HTTP_ARRIVAL_BYTES, accept, host);
  takeUpgrades(server, settings, ({ socket }) => peerOf(socket), entrance, host);
  return { ...(await openServer(server, settings, 'ws://', host)), ...entrance };
}
