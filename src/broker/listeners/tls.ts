import { createServer } from 'node:tls';
import { CONNECT_TIMEOUT } from '../../core/limits.ts';
import { certificateNames } from './certificate-names.ts';
import { keepCertificates } from './certificates.ts';
import { openServer } from './server.ts';
import type { Accept, AddressSettings, ListenerHost, OpenListener, TlsSettings } from './settings.ts';
import { peerOf } from './socket.ts';

/** MQTT over TLS 1.2 or later. */
export async function listenTls(
  { tls, ...address }: AddressSettings & { readonly tls: TlsSettings },
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const certificates = keepCertificates(tls, host);
  const options = { ...certificates.options, handshakeTimeout: CONNECT_TIMEOUT, noDelay: true };
  const server = createServer(options, socket =>
    accept(socket, { ...peerOf(socket), certificate: certificateNames(socket) }),
  );
  server.on('tlsClientError', (error, socket) => {
    host.log.info(`No TLS with ${peerOf(socket).address}: ${error.message}`);
  });
  const open = await openServer(server, address, 'mqtts://', host);
  return certificates.follow(server, open);
}
