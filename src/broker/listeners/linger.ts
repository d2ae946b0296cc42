import type { Clock } from '../../core/clock.ts';
import { CLOSE_LINGER_MS } from '../../core/limits.ts';
import { MAX_LINGER_BYTES } from '../limits.ts';
import type { ClientSocket } from './socket.ts';

/**
 * Ends a socket so that the peer can read what was written last. Input that is left unread when a TCP socket is closed
 * makes the system send a reset, and that makes the peer lose what it has not read yet: so what comes is read and
 * discarded until the peer has closed its side, for CLOSE_LINGER_MS and MAX_LINGER_BYTES at most. The caller's data handler
 * ignores it.
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

/** Ends a socket once what was written is out, for a peer that needs to read no reason. */
export function closeSoon(socket: ClientSocket, clock: Clock): void {
  socket.destroySoon();
  destroyLater(socket, clock);
}

function destroyLater(socket: ClientSocket, clock: Clock): void {
  const cancel = clock.after(CLOSE_LINGER_MS, () => socket.destroy());
  socket.once('close', cancel);
}
