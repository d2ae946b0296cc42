import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

type StreamMember =
  | 'write'
  | 'cork'
  | 'uncork'
  | 'pause'
  | 'resume'
  | 'on'
  | 'once'
  | 'destroy'
  | 'writableLength';

/**
 * Socket of a link (MQTT connection to a server). `bytesRead` and `bytesWritten` are undefined for a
 * WebSocket.
 */
export type LinkSocket = Pick<Duplex, StreamMember | 'destroyed'> & {
  readonly destroySoon: () => void;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
};

/** Function that opens a connection and calls `ready` when the connection is writable. */
export type Dial = (host: string, port: number, ready: () => void) => LinkSocket;

/** Opens a plain TCP connection. */
export const dialPlain: Dial = (host, port, ready) => connect({ host, port, noDelay: true }, ready);
