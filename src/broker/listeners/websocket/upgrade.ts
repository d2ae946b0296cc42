import type { IncomingMessage, RequestListener, ServerOptions } from 'node:http';
import type { Server, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { MAX_PACKET_BYTES } from '../../../core/limits.ts';
import { CONNECT_TIMEOUT_MS, MAX_UPGRADE_BYTES } from '../../limits.ts';
import type { Acceptor } from '../server.ts';
import type { ListenerHost, WebSocketSettings } from '../settings.ts';
import type { Peer } from '../socket.ts';
import { streamOf } from './frames.ts';
import { ownNames, protocolOf, upgradeRefusal } from './origins.ts';

/** Options of the HTTP server, with limits that are large enough for an upgrade request. */
export const HTTP: ServerOptions = {
  headersTimeout: CONNECT_TIMEOUT_MS,
  requestTimeout: CONNECT_TIMEOUT_MS,
  connectionsCheckingInterval: CONNECT_TIMEOUT_MS,
  maxHeaderSize: MAX_UPGRADE_BYTES,
  noDelay: true,
};

/**
 * Accepts WebSocket upgrade requests of `server`. `peerIn` returns the peer of a request. `certificateHosts`
 * returns the host names in the certificate of the server.
 */
export function acceptUpgrades(
  server: Server,
  settings: WebSocketSettings,
  peerIn: (request: IncomingMessage) => Peer,
  acceptor: Acceptor,
  { clock }: ListenerHost,
  certificateHosts: () => readonly string[] = () => [],
): void {
  const upgrades = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_PACKET_BYTES,
    handleProtocols: protocolOf,
  });
  const ownHosts = ownNames(settings);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const peer = peerIn(request);
    const refusal = upgradeRefusal(request, settings, [...ownHosts, ...certificateHosts()]);
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    upgrades.handleUpgrade(request, socket, head, webSocket =>
      acceptor.accept(socket, streamOf(webSocket, clock), peer),
    );
  });
}

/** Refuses an HTTP request that is not a WebSocket upgrade, with status 426 (Upgrade Required). */
export const refuseRequest: RequestListener = (_request, response) => {
  response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-length': 0 }).end();
};
