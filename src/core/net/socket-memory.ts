import { MAX_SOCKET_BACKLOG_BYTES, MIN_SOCKET_BACKLOG_BYTES } from '../limits.ts';

/** Memory that the unsent bytes of all sockets of one kind use. */
export type SocketMemory = {
  /** Updates the count after the unsent bytes of one socket have changed from `before` to `after`. */
  readonly changed: (before: number, after: number) => void;
  /** Returns the maximum unsent bytes of one socket. */
  readonly limit: () => number;
  readonly bytes: () => number;
};

/**
 * Creates the counter. If all sockets together have at most half of `maxBytes` unsent, the limit of one
 * socket is MAX_SOCKET_BACKLOG_BYTES. Otherwise half of `maxBytes` is divided equally among the sockets with
 * unsent bytes.
 */
export function createSocketMemory(maxBytes: number): SocketMemory {
  let bytes = 0;
  let busySockets = 0;
  return {
    changed: (before, after) => {
      bytes += after - before;
      if (before === 0 && after > 0) busySockets++;
      if (before > 0 && after === 0) busySockets--;
    },
    limit: () => {
      if (bytes <= maxBytes / 2) return MAX_SOCKET_BACKLOG_BYTES;
      return Math.max(
        MIN_SOCKET_BACKLOG_BYTES,
        Math.min(MAX_SOCKET_BACKLOG_BYTES, maxBytes / 2 / busySockets),
      );
    },
    bytes: () => bytes,
  };
}
