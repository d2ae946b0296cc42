import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Cancel, Clock } from '../../../core/clock.ts';
import { WEBSOCKET_PING_MS } from '../../limits.ts';
import type { ClientSocket } from '../socket.ts';

/** Status codes of a close frame (RFC 6455, 7.4.1). */
const NORMAL = 1000;
const UNSUPPORTED_DATA = 1003;

/**
 * WebSocket as a byte stream: packets may span frames, and a frame may contain several packets (MQTT 3.1.1,
 * 6.0.0-2).
 */
export function streamOf(webSocket: WebSocket, clock: Clock): ClientSocket {
  const isOpen = (): boolean => webSocket.readyState === webSocket.OPEN;
  const isClosed = (): boolean => webSocket.readyState === webSocket.CLOSED;

  const send = (bytes: Buffer, done: (error?: Error | null) => void): void => {
    // A closing WebSocket accepts nothing more, as a socket whose peer has closed.
    if (isOpen()) webSocket.send(bytes, done);
    else done();
  };

  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => webSocket.resume(),
    write: (bytes: Buffer, _encoding, done) => send(bytes, done),
    // Writes of one turn of the event loop become one frame.
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
      // MQTT 3.1.1, 6.0.0-1.
      webSocket.close(UNSUPPORTED_DATA);
      stream.destroy(new Error('it sent a text frame'));
    } else if (!stream.push(data)) {
      webSocket.pause();
    }
  });
  webSocket.on('error', error => stream.destroy(error));
  webSocket.on('close', () => {
    if (!stream.destroyed) stream.push(null);
  });

  // Proxies close an idle connection even if its MQTT keep-alive is long.
  let cancelPing: Cancel;
  const ping = (): void => {
    if (isOpen()) webSocket.ping();
    cancelPing = clock.after(WEBSOCKET_PING_MS, ping);
  };
  cancelPing = clock.after(WEBSOCKET_PING_MS, ping);

  return Object.assign(stream, {
    destroySoon: () => {
      stream.end();
      if (stream.writableFinished) stream.destroy();
      else stream.once('finish', () => stream.destroy());
    },
  });
}
