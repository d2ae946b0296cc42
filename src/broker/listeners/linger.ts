import type { Clock } from '../../core/clock.ts';
import { CLOSE_LINGER_MS } from '../../core/limits.ts';
import { MAX_LINGER_BYTES } from '../limits.ts';
import type { ClientSocket } from './socket.ts';

/**
 * Lingering close: ends a socket so that the peer can read the last output. If a TCP socket is closed with
 * unread input, the kernel sends a reset, and the peer loses what it has not read. Therefore input is read
 * and discarded until the peer has closed, for at most CLOSE_LINGER_MS and MAX_LINGER_BYTES. The caller's
 * data handler must ignore it.
 */
export function closeLingering(socket: ClientSocket, clock: Clock): void {
  let left = MAX_LINGER_BYTES;
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  socket.end();
  socket.resume();
  destroyLater(socket, clock);
}

/** Closes a socket after flushing its output, for a peer that needs no reason. */
export function closeSoon(socket: ClientSocket, clock: Clock): void {
  socket.destroySoon();
  destroyLater(socket, clock);
}

function destroyLater(socket: ClientSocket, clock: Clock): void {
  const cancel = clock.after(CLOSE_LINGER_MS, () => socket.destroy());
  socket.once('close', cancel);
}
