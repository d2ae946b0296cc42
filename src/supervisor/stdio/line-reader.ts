import type { Readable } from 'node:stream';
import type { LineBound } from './line-splitter.ts';
import { createLineSplitter } from './line-splitter.ts';

/** Destination of lines with back-pressure. */
export type LineSink = {
  /** Tells if the sink accepts one more line. If not, it later triggers `pump` of its reader. */
  readonly ready: () => boolean;
  readonly write: (line: Buffer) => void;
};

/** Reads lines from a stream no faster than the sink accepts them. */
export type LineReader = {
  /** Reads as far as the stream and the sink allow. */
  readonly pump: () => void;
  /** Tells if the reader waits for its sink. */
  readonly stalled: () => boolean;
  /** Resolves when the stream has ended and its last line was delivered. */
  readonly closed: Promise<void>;
  /** Delivers the data that was already read, even if the sink is full, and closes the stream. */
  readonly drainAndClose: () => void;
};

/** Creates a line reader. `onBytes` is called with the number of bytes of each chunk. */
export function readLines(
  stream: Readable,
  sink: LineSink,
  bound: LineBound,
  onBytes: (bytes: number) => void = () => {},
): LineReader {
  const lines = createLineSplitter(bound);
  const closed = Promise.withResolvers<void>();
  let pumping = false;
  let ended = false;

  const finish = (): void => {
    const last = lines.rest();
    if (last !== undefined) sink.write(last);
    closed.resolve();
  };

  const pumpWhile = (ready: () => boolean): void => {
    // Prevents reentrancy: a sink may settle a line inside `write` and call `pump`.
    if (pumping) return;
    pumping = true;
    while (ready()) {
      const line = lines.next();
      if (line !== undefined) {
        sink.write(line);
        continue;
      }
      const chunk: Buffer | null = stream.read();
      if (chunk !== null) {
        onBytes(chunk.length);
        lines.push(chunk);
        continue;
      }
      if (ended) finish();
      break;
    }
    pumping = false;
  };

  const pump = (): void => pumpWhile(sink.ready);

  // Back-pressure: without space in the sink nothing is read, so a module that prints too fast blocks on its
  // pipe.
  stream.on('readable', pump);
  stream.once('close', () => {
    ended = true;
    pump();
  });
  return {
    pump,
    stalled: () => !sink.ready(),
    closed: closed.promise,
    drainAndClose: () => {
      ended = true;
      pumpWhile(() => true);
      stream.destroy();
    },
  };
}
