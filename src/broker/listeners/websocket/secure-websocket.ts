import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import { HTTP_ARRIVAL_BYTES, TLS_ARRIVAL_BYTES } from '../../limits.ts';
import { openEntrance, openServer } from '../server.ts';
import type { Accept, ListenerHost, OpenListener, TlsSettings, WebSocketSettings } from '../settings.ts';
import type { Peer } from '../socket.ts';
import { peerOf } from '../socket.ts';
import { certificateNames } from '../tls/certificate-names.ts';
import { keepCertificates } from '../tls/certificates.ts';
import { logHandshakes } from '../tls/handshake.ts';
import { HTTP, refuseRequest, takeUpgrades } from './upgrade.ts';

/** Opens a listener of MQTT over secure WebSockets. */
export async function listenSecureWebSocket(
  { tls, ...settings }: WebSocketSettings & { readonly tls: TlsSettings },
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const certificates = keepCertificates(tls, host);
  const server = createServer({ ...HTTP, ...certificates.options }, refuseRequest);
  const entrance = openEntrance(server, TLS_ARRIVAL_BYTES + HTTP_ARRIVAL_BYTES, accept, host);
  logHandshakes(server, host.log);
  takeUpgrades(server, settings, peerOfRequest, entrance, host, certificates.hosts);
  const open = await openServer(server, settings, 'wss://', host);
  return certificates.follow(server, { ...open, ...entrance });
}

function peerOfRequest({ socket }: IncomingMessage): Peer {
  const certificate = socket instanceof TLSSocket ? certificateNames(socket) : undefined;
  return { ...peerOf(socket), certificate };
}
