import { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import { reasonOf } from '../../../core/errors.ts';
import type { Log } from '../../../core/log.ts';
import { certificateReason, handshakeReason } from '../../../core/tls/reasons.ts';
import { peerOf } from '../socket.ts';

/** Logs each failed TLS handshake of `server` with the peer and the reason. */
export function logHandshakes(server: Server, log: Log): void {
  // Reads the address early, because Node caches it and loses it at close.
  server.on('connection', socket => peerOf(socket));
  server.on('tlsClientError', (error, socket) => {
    log.info(`TLS handshake with ${addressOf(socket)} failed: ${reasonFor(error, socket)}.`);
  });
}

/**
 * Reason of a failed handshake. Node reports a refused client certificate as a hang-up; the socket has the
 * reason.
 */
function reasonFor(error: Error, { authorizationError }: TLSSocket): string {
  // Null before the certificate is checked, contrary to the types.
  const code = authorizationError ? String(authorizationError) : undefined;
  if (code !== undefined) return certificateReason(code) ?? `the client certificate was refused (${code})`;
  return handshakeReason(error) ?? reasonOf(error);
}

/** Address of the underlying TCP connection, which Node keeps in a private property. */
function addressOf(socket: TLSSocket): string {
  const { address } = peerOf(socket);
  const parent: unknown = address === 'unknown' ? Reflect.get(socket, '_parent') : undefined;
  return parent instanceof Socket ? peerOf(parent).address : address;
}
