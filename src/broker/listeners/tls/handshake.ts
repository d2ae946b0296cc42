import { Socket } from 'node:net';
import type { Server, TLSSocket } from 'node:tls';
import { reasonOf } from '../../../core/errors.ts';
import type { Log } from '../../../core/log.ts';
import { certificateReason, handshakeReason } from '../../../core/tls/reasons.ts';
import { peerOf } from '../socket.ts';

/** Logs each failed TLS handshake of `server`, with the address of the peer and the reason. */
export function logHandshakes(server: Server, log: Log): void {
  // Reads the address of each socket early, because Node cannot read the address after the socket is closed.
  // Node caches the address.
  server.on('connection', socket => peerOf(socket));
  server.on('tlsClientError', (error, socket) => {
    log.info(`TLS handshake with ${addressOf(socket)} failed: ${reasonFor(error, socket)}.`);
  });
}

/**
 * Returns the reason of a failed handshake. If the client certificate was refused, the error of Node says
 * only that the connection was closed. The actual reason is in `authorizationError` of the socket.
 */
function reasonFor(error: Error, { authorizationError }: TLSSocket): string {
  // Contrary to the type of `authorizationError`, the value is null before the certificate is checked.
  const code = authorizationError ? String(authorizationError) : undefined;
  if (code !== undefined) return certificateReason(code) ?? `the client certificate was refused (${code})`;
  return handshakeReason(error) ?? reasonOf(error);
}

/**
 * Returns the address of the peer. If the TLS socket has no address, returns the address of the underlying
 * TCP socket, which Node stores in a private property.
 */
function addressOf(socket: TLSSocket): string {
  const { address } = peerOf(socket);
  const parent: unknown = address === 'unknown' ? Reflect.get(socket, '_parent') : undefined;
  return parent instanceof Socket ? peerOf(parent).address : address;
}
