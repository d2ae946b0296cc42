import { WebSocket } from 'ws';
import type { Clock } from '../../../core/clock.ts';
import { MAX_PACKET_BYTES } from '../../../core/limits.ts';
import { CONNECT_TIMEOUT_MS } from '../../limits.ts';
import type { ClientSocket } from '../socket.ts';
import { streamOf } from './frames.ts';

/** Certificates for a `wss:` address, in PEM. */
export type WebSocketCertificates = {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Accept a certificate for another host name. */
  readonly anyName: boolean;
};

/**
 * Opens a client connection of MQTT over WebSockets (MQTT 3.1.1, 6), and calls `ready` when it is writable.
 */
export function openWebSocket(
  url: string,
  { anyName, ...files }: WebSocketCertificates,
  clock: Clock,
  ready: () => void,
): ClientSocket {
  const webSocket = new WebSocket(url, ['mqtt'], {
    ...files,
    // Node treats any value but an Error as success; the types of ws require a boolean.
    ...(anyName ? { checkServerIdentity: () => false } : {}),
    perMessageDeflate: false,
    maxPayload: MAX_PACKET_BYTES,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
  });
  webSocket.once('open', ready);
  return streamOf(webSocket, clock);
}
