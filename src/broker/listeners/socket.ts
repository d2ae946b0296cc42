import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Stream methods that a connection uses. */
type StreamMethod =
  | 'write'
  | 'cork'
  | 'uncork'
  | 'pause'
  | 'resume'
  | 'isPaused'
  | 'on'
  | 'once'
  | 'end'
  | 'destroy';

/** Stream of MQTT packets of a client over TCP, TLS, a Unix socket or a WebSocket. */
export type ClientSocket = Pick<Duplex, StreamMethod | 'writableLength' | 'destroyed'> & {
  /** Closes the stream after flushing its output. */
  readonly destroySoon: () => void;
};

/** Peer of a connection, with the properties that are known before CONNECT. */
export type Peer = {
  /** True if the peer is on this machine: it uses a loopback address or a Unix socket. */
  readonly local: boolean;
  /** IP address of the peer, or the path of the Unix socket. Used in the log and to count connections. */
  readonly address: string;
  /**
   * Names in the client certificate. Undefined if the client has no certificate that a CA of the listener has
   * signed.
   */
  readonly certificate: readonly string[] | undefined;
  /** Underlying socket, with which the process of a peer on this machine can be found. */
  readonly socket?: Socket | undefined;
  /**
   * Name of the module to which all clients of the listener belong. Undefined if the listener is not reserved
   * for a module.
   */
  readonly module?: string | undefined;
};

/** Returns the peer of a socket. The client certificate is not read. */
export function peerOf(socket: Socket): Peer {
  // An IPv4-mapped IPv6 address is shown as IPv4 address (RFC 4291, 2.5.5.2).
  const address = socket.remoteAddress?.replace(/^::ffff:(?=[\d.]+$)/, '') ?? 'unknown';
  return { local: isLoopback(address), address, certificate: undefined, socket };
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
