import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { repeat } from '../../../core/async/repeat.ts';
import type { Clock } from '../../../core/clock.ts';
import { WEBSOCKET_PING_MS } from '../../limits.ts';
import type { ClientSocket } from '../socket.ts';

/** Status code of a close frame for a normal closure (RFC 6455, 7.4.1). */
const NORMAL = 1000;

/** Status code of a close frame after data of an unsupported type (RFC 6455, 7.4.1). */
const UNSUPPORTED_DATA = 1003;

/**
 * Creates a byte stream over a WebSocket. An MQTT packet can span several frames, and a frame can contain
 * several packets (MQTT 3.1.1, 6.0.0-2).
 */
export function streamOf(webSocket: WebSocket, clock: Clock): ClientSocket {
  const isOpen = (): boolean => webSocket.readyState === webSocket.OPEN;
  const isClosed = (): boolean => webSocket.readyState === webSocket.CLOSED;

  const send = (bytes: Buffer, done: (error?: Error | null) => void): void => {
    // Discards data if the WebSocket is closing, as a TCP socket discards data after its peer has closed.
    if (isOpen()) webSocket.send(bytes, done);
    else done();
  };

  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => webSocket.resume(),
    write: (bytes: Buffer, _encoding, done) => send(bytes, done),
    // All pending writes are combined into one frame.
    writev: (pieces, done) => send(Buffer.concat(pieces.map(({ chunk }): Buffer => chunk)), done),
    final: done => {
      if (isClosed()) return done();
      webSocket.once('close', () => done());
      webSocket.close(NORMAL);
    },
    destroy: (error, done) => {
      cancelPing();
      webSocket.terminate();
      done(error);
    },
  });

  webSocket.on('message', (data: RawData, isBinary: boolean) => {
    if (stream.destroyed) return;
    if (!isBinary || !Buffer.isBuffer(data)) {
      // The connection must be closed after a text frame (MQTT 3.1.1, 6.0.0-1).
      webSocket.close(UNSUPPORTED_DATA);
      stream.destroy(new Error('the client sent a text frame instead of a binary frame'));
    } else if (!stream.push(data)) {
      webSocket.pause();
    }
  });
  webSocket.on('error', error => stream.destroy(error));
  webSocket.on('close', () => {
    if (!stream.destroyed) stream.push(null);
  });

  // Pings keep the connection open in proxies, because the idle timeout of a proxy can be shorter than the
  // MQTT keep-alive.
  const cancelPing = repeat(clock, WEBSOCKET_PING_MS, () => {
    if (isOpen()) webSocket.ping();
  });

  return Object.assign(stream, {
    destroySoon: () => {
      stream.end();
      if (stream.writableFinished) stream.destroy();
      else stream.once('finish', () => stream.destroy());
    },
  });
}
