import type { IncomingMessage, RequestListener, ServerOptions } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { CONNECT_TIMEOUT, MAX_PACKET_BYTES, MAX_UPGRADE_BYTES } from '../../core/limits.ts';
import { certificateNames } from './certificate-names.ts';
import { keepCertificates } from './certificates.ts';
import { streamOf } from './frames.ts';
import { openServer } from './server.ts';
import type { Accept, ListenerHost, OpenListener, TlsSettings, WebSocketSettings } from './settings.ts';
import type { Peer } from './socket.ts';
import { peerOf } from './socket.ts';
import { objectionTo, protocolOf } from './upgrade.ts';

/** Of one request: who asks for a WebSocket needs no more. */
const HTTP: ServerOptions = {
  headersTimeout: CONNECT_TIMEOUT,
  requestTimeout: CONNECT_TIMEOUT,
  connectionsCheckingInterval: CONNECT_TIMEOUT,
  maxHeaderSize: MAX_UPGRADE_BYTES,
  noDelay: true,
};

/** MQTT over WebSockets (MQTT 3.1.1, 6). */
export async function listenWebSocket(
  settings: WebSocketSettings,
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const server = createServer(HTTP, refuseRequest);
  await takeUpgrades(server, settings, accept, host);
  return openServer(server, settings, 'ws://', host);
}

/** The same over TLS. */
export async function listenSecureWebSocket(
  { tls, ...settings }: WebSocketSettings & { readonly tls: TlsSettings },
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const certificates = keepCertificates(tls, host);
  const options = { ...HTTP, ...certificates.options, handshakeTimeout: CONNECT_TIMEOUT };
  const server = createSecureServer(options, refuseRequest);
  server.on('tlsClientError', (error, socket) => {
    host.log.info(`No TLS with ${peerOf(socket).address}: ${error.message}`);
  });
  await takeUpgrades(server, settings, accept, host);
  return certificates.follow(server, await openServer(server, settings, 'wss://', host));
}

async function takeUpgrades(
  server: Server,
  settings: WebSocketSettings,
  accept: Accept,
  { clock }: ListenerHost,
): Promise<void> {
  // Not before one is asked for: it would cost every hub its memory.
  const { WebSocketServer } = await import('ws');
  const upgrades = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_PACKET_BYTES,
    handleProtocols: protocolOf,
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const peer = peerOfRequest(request);
    const objection = objectionTo(request, settings, peer.local);
    if (objection !== undefined) {
      socket.end(`HTTP/1.1 ${objection}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    upgrades.handleUpgrade(request, socket, head, webSocket => accept(streamOf(webSocket, clock), peer));
  });
}

function peerOfRequest({ socket }: IncomingMessage): Peer {
  const peer = peerOf(socket);
  return socket instanceof TLSSocket ? { ...peer, certificate: certificateNames(socket) } : peer;
}

const refuseRequest: RequestListener = (_request, response) => {
  response.writeHead(426, { connection: 'close', upgrade: 'websocket', 'content-length': 0 }).end();
};
