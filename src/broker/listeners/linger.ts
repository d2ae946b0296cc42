import type { Clock } from '../../core/clock.ts';
import { CLOSE_LINGER_MS } from '../../core/limits.ts';
import { MAX_LINGER_BYTES } from '../limits.ts';
import type { ClientSocket } from './socket.ts';

/**
 * Closes a socket so that the peer can still read the last output (lingering close). If a TCP socket is
 * closed with unread input, the kernel sends a reset, and the peer loses its unread data. Therefore input is
 * read and discarded until the peer closes the connection, for at most CLOSE_LINGER_MS and MAX_LINGER_BYTES.
 * The data handler of the caller must ignore this input.
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

/** Closes a socket after flushing its output. Used if the peer does not have to read a reason. */
export function closeSoon(socket: ClientSocket, clock: Clock): void {
  socket.destroySoon();
  destroyLater(socket, clock);
}

/** Destroys a socket that is not closed after CLOSE_LINGER_MS. */
function destroyLater(socket: ClientSocket, clock: Clock): void {
  const cancel = clock.after(CLOSE_LINGER_MS, () => socket.destroy());
  socket.once('close', cancel);
}
