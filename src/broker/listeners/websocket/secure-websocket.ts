import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import { HTTP_ARRIVAL_BYTES, TLS_ARRIVAL_BYTES } from '../../limits.ts';
import { createAcceptor, openServer } from '../server.ts';
import type { Accept, ListenerHost, OpenListener, TlsSettings, WebSocketSettings } from '../settings.ts';
import type { Peer } from '../socket.ts';
import { peerOf } from '../socket.ts';
import { certificateNames } from '../tls/certificate-names.ts';
import { loadCertificates } from '../tls/certificates.ts';
import { logHandshakes } from '../tls/handshake.ts';
import { acceptUpgrades, HTTP, refuseRequest } from './upgrade.ts';

/** Opens a listener for MQTT over WebSockets with TLS. */
export async function listenSecureWebSocket(
  { tls, ...settings }: WebSocketSettings & { readonly tls: TlsSettings },
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const certificates = loadCertificates(tls, host);
  const server = createServer({ ...HTTP, ...certificates.options }, refuseRequest);
  const acceptor = createAcceptor(server, TLS_ARRIVAL_BYTES + HTTP_ARRIVAL_BYTES, accept, host);
  logHandshakes(server, host.log);
  acceptUpgrades(server, settings, peerOfRequest, acceptor, host, certificates.hosts);
  const open = await openServer(server, settings, 'wss://', host);
  return certificates.reloadWhileOpen(server, { ...open, ...acceptor });
}

function peerOfRequest({ socket }: IncomingMessage): Peer {
  const certificate = socket instanceof TLSSocket ? certificateNames(socket) : undefined;
  return { ...peerOf(socket), certificate };
}
