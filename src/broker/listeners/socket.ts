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

/** What a connection needs of what a client came in by, be it TCP, TLS, a Unix socket or a WebSocket. */
export type ClientSocket = Pick<Duplex, Streaming | 'writableLength' | 'destroyed'> & {
  /** Ends it once what was written is out. */
  readonly destroySoon: () => void;
};

/** Who is at the other end, as far as the transport knows. */
export type Peer = {
  /** On this machine: it came in by a loopback address or a Unix socket. */
  readonly local: boolean;
  /** For the log, and for what is counted by address. */
  readonly address: string;
  /** Names in a client certificate that the listener's CA vouches for; undefined: there is none. */
  readonly certificate: readonly string[] | undefined;
  /** The transport's own socket, by which the process at the other end can be found. */
  readonly socket?: Socket | undefined;
  /** The one module that can reach the listener. */
  readonly module?: string | undefined;
};

/** The peer of a TCP connection, without a certificate. */
export function peerOf(socket: Socket): Peer {
  // How an IPv6 socket shows an IPv4 peer (RFC 4291, 2.5.5.2).
  const address = socket.remoteAddress?.replace(/^::ffff:(?=[\d.]+$)/, '') ?? 'unknown';
  return { local: isLoopback(address), address, certificate: undefined, socket };
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
