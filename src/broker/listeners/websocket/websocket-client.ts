import { WebSocket } from 'ws';
import type { Clock } from '../../../core/clock.ts';
import { MAX_PACKET_BYTES } from '../../../core/limits.ts';
import { CONNECT_TIMEOUT_MS } from '../../limits.ts';
import type { ClientSocket } from '../socket.ts';
import { streamOf } from './frames.ts';

/** TLS settings of a client connection to a `wss:` address. Certificates and keys are in PEM format. */
export type WebSocketCertificates = {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** True if a server certificate for another host name is accepted. */
  readonly anyName: boolean;
};

/**
 * Opens a client connection of MQTT over WebSockets (MQTT 3.1.1, 6). Calls `ready` when the connection is
 * writable.
 */
export function openWebSocket(
  url: string,
  { anyName, ...files }: WebSocketCertificates,
  clock: Clock,
  ready: () => void,
): ClientSocket {
  const webSocket = new WebSocket(url, ['mqtt'], {
    ...files,
    // Disables the check of the host name: Node refuses the certificate only if the function returns an
    // Error. The function returns false, because the types of the library ws require a boolean.
    ...(anyName ? { checkServerIdentity: () => false } : {}),
    perMessageDeflate: false,
    maxPayload: MAX_PACKET_BYTES,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
  });
  webSocket.once('open', ready);
  return streamOf(webSocket, clock);
}
