import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

type Streaming =
  | 'write'
  | 'cork'
  | 'uncork'
  | 'pause'
  | 'resume'
  | 'on'
  | 'once'
  | 'destroy'
  | 'writableLength';

/** Connection of a link: a socket, or a WebSocket as a stream, which does not count its bytes. */
export type LinkSocket = Pick<Duplex, Streaming | 'destroyed'> & {
  readonly destroySoon: () => void;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
};

/** Opens a connection, and calls `ready` when it is writable. */
export type Dial = (host: string, port: number, ready: () => void) => LinkSocket;

/** Opens a plain TCP connection. */
export const dialPlain: Dial = (host, port, ready) => connect({ host, port, noDelay: true }, ready);
