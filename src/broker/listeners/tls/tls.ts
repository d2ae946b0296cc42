import { createServer } from 'node:tls';
import { TLS_ARRIVAL_BYTES } from '../../limits.ts';
import { createAcceptor, openServer } from '../server.ts';
import type { Accept, AddressSettings, ListenerHost, OpenListener, TlsSettings } from '../settings.ts';
import { peerOf } from '../socket.ts';
import { certificateNames } from './certificate-names.ts';
import { loadCertificates } from './certificates.ts';
import { logHandshakes } from './handshake.ts';

/** Opens a listener for MQTT over TLS, version 1.2 or later. */
export async function listenTls(
  { tls, ...address }: AddressSettings & { readonly tls: TlsSettings },
  accept: Accept,
  host: ListenerHost,
): Promise<OpenListener> {
  const certificates = loadCertificates(tls, host);
  const server = createServer({ ...certificates.options, noDelay: true });
  const acceptor = createAcceptor(server, TLS_ARRIVAL_BYTES, accept, host);
  server.on('secureConnection', socket =>
    acceptor.accept(socket, socket, { ...peerOf(socket), certificate: certificateNames(socket) }),
  );
  logHandshakes(server, host.log);
  const open = await openServer(server, address, 'mqtts://', host);
  return certificates.reloadWhileOpen(server, { ...open, ...acceptor });
}
