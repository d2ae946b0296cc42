import type { IncomingMessage, RequestListener, ServerOptions } from 'node:http';
import type { Server, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { MAX_PACKET_BYTES } from '../../../core/limits.ts';
import { CONNECT_TIMEOUT_MS, MAX_UPGRADE_BYTES } from '../../limits.ts';
import type { Entrance } from '../server.ts';
import type { ListenerHost, WebSocketSettings } from '../settings.ts';
import type { Peer } from '../socket.ts';
import { streamOf } from './frames.ts';
import { objectionTo, ownNames, protocolOf } from './origins.ts';

/** Bounds of an HTTP request: an upgrade request needs no more. */
export const HTTP: ServerOptions = {
  headersTimeout: CONNECT_TIMEOUT_MS,
  requestTimeout: CONNECT_TIMEOUT_MS,
  connectionsCheckingInterval: CONNECT_TIMEOUT_MS,
  maxHeaderSize: MAX_UPGRADE_BYTES,
  noDelay: true,
};

/** Accepts WebSocket upgrades of `server`. `certified` are the host names in its certificate. */
export function takeUpgrades(
  server: Server,
  settings: WebSocketSettings,
  peerIn: (request: IncomingMessage) => Peer,
  entrance: Entrance,
  { clock }: ListenerHost,
  certified: () => readonly string[] = () => [],
): void {
  const upgrades = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_PACKET_BYTES,
    handleProtocols: protocolOf,
  });
  const own = ownNames(settings);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const peer = peerIn(request);
    const objection = objectionTo(request, settings, [...own, ...certified()]);
    if (objection !== undefined) {
      socket.end(`HTTP/1.1 ${objection}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    upgrades.handleUpgrade(request, socket, head, webSocket =>
      entrance.accept(socket, streamOf(webSocket, clock), peer),
    );
  });
}

/** Answers a request that is not a WebSocket upgrade. */
export const refuseRequest: RequestListener = (_request, response) => {
  response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-length': 0 }).end();
};
