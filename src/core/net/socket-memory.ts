import { MAX_SOCKET_BACKLOG_BYTES, MIN_SOCKET_BACKLOG_BYTES } from '../limits.ts';

/** Memory of what sockets have not taken, over all sockets of a kind. */
export type SocketMemory = {
  /** Notes that what waits in one socket went from `before` to `after` bytes. */
  readonly changed: (before: number, after: number) => void;
  /** Bytes that may wait in one socket now. */
  readonly limit: () => number;
  readonly bytes: () => number;
};

/** As long as little waits in all, a socket may have much; then those that are behind share `most` bytes. */
export function createSocketMemory(most: number): SocketMemory {
  let bytes = 0;
  let behind = 0;
  return {
    changed: (before, after) => {
      bytes += after - before;
      if (before === 0 && after > 0) behind++;
      if (before > 0 && after === 0) behind--;
    },
    limit: () => {
      if (bytes <= most / 2) return MAX_SOCKET_BACKLOG_BYTES;
      return Math.max(MIN_SOCKET_BACKLOG_BYTES, Math.min(MAX_SOCKET_BACKLOG_BYTES, most / 2 / behind));
    },
    bytes: () => bytes,
  };
}
