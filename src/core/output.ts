import type { Writable } from 'node:stream';

/** What it needs of a socket. */
type Sink = Pick<Writable, 'write' | 'cork' | 'uncork'>;

/** The way out of one socket: one write per turn of the loop, however many packets it holds. */
export type Output = {
  readonly write: (bytes: Buffer) => void;
  /** Sends at once what was written in this turn. */
  readonly flush: () => void;
};

export function createOutput(socket: Sink): Output {
  let corked = false;
  const flush = (): void => {
    if (!corked) return;
    corked = false;
    socket.uncork();
  };
  return {
    write: bytes => {
      if (!corked) {
        corked = true;
        socket.cork();
        setImmediate(flush);
      }
      socket.write(bytes);
    },
    flush,
  };
}
