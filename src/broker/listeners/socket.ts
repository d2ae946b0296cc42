import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

type Streaming =
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

/** Stream of a client: TCP, TLS, Unix socket or WebSocket. */
export type ClientSocket = Pick<Duplex, Streaming | 'writableLength' | 'destroyed'> & {
  /** Closes the stream after flushing its output. */
  readonly destroySoon: () => void;
};

/** Peer of a connection, as the transport knows it. */
export type Peer = {
  /** True if the peer is on this machine: loopback address or Unix socket. */
  readonly local: boolean;
  /** Address for the log and for counts by address. */
  readonly address: string;
  /** Names in a client certificate that the listener's CA has signed. Undefined without one. */
  readonly certificate: readonly string[] | undefined;
  /** Underlying socket, by which the peer's process can be found. */
  readonly socket?: Socket | undefined;
  /** Module that alone can reach the listener. */
  readonly module?: string | undefined;
};

/** Peer of a TCP connection without a certificate. */
export function peerOf(socket: Socket): Peer {
  // IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2).
  const address = socket.remoteAddress?.replace(/^::ffff:(?=[\d.]+$)/, '') ?? 'unknown';
  return { local: isLoopback(address), address, certificate: undefined, socket };
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
