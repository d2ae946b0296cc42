import { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import { reasonOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { certificateReason, handshakeReason } from '../../core/tls/reasons.ts';
import { peerOf } from './socket.ts';

/** Logs each TLS handshake of `server` that fails: with whom, and why. */
export function logHandshakes(server: Server, log: Log): void {
  // An address that was asked for once is still known when the connection is closed.
  server.on('connection', socket => peerOf(socket));
  server.on('tlsClientError', (error, socket) => {
    log.info(`TLS handshake with ${addressOf(socket)} failed: ${reasonFor(error, socket)}.`);
  });
}

/** A refused client certificate is closed as if the client had hung up: its reason stands at the socket. */
function reasonFor(error: Error, { authorizationError }: TLSSocket): string {
  // Null until a certificate was looked at, whatever the types say.
  const code = authorizationError ? String(authorizationError) : undefined;
  if (code !== undefined) return certificateReason(code) ?? `the client certificate was refused (${code})`;
  return handshakeReason(error) ?? reasonOf(error);
}

/** The address of the TCP connection beneath, which Node keeps as a private property. */
function addressOf(socket: TLSSocket): string {
  const { address } = peerOf(socket);
  const parent: unknown = address === 'unknown' ? Reflect.get(socket, '_parent') : undefined;
  return parent instanceof Socket ? peerOf(parent).address : address;
}
