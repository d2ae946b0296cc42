import { MAX_SOCKET_BACKLOG_BYTES, MIN_SOCKET_BACKLOG_BYTES } from '../limits.ts';

/** Memory of unsent bytes of all sockets of one kind. */
export type SocketMemory = {
  /** Updates the count after the unsent bytes of one socket have changed from `before` to `after`. */
  readonly changed: (before: number, after: number) => void;
  /** Returns the maximum unsent bytes of one socket. */
  readonly limit: () => number;
  readonly bytes: () => number;
};

/**
 * Creates the counter. While the total of unsent bytes is small, the limit of a single socket is high.
 * Otherwise the sockets with unsent bytes share `maxBytes`.
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
