import type { Readable } from 'node:stream';
import type { LineBound } from './line-splitter.ts';
import { createLineSplitter } from './line-splitter.ts';

/** Receiver of lines that can apply back-pressure. */
export type LineSink = {
  /**
   * Returns true if the sink accepts a line. After it has returned false, the owner of the sink must call
   * `LineReader.pump` as soon as the sink accepts lines again.
   */
  readonly ready: () => boolean;
  readonly write: (line: Buffer) => void;
};

/** Reader of the lines of a stream. Reads only while the sink accepts lines. */
export type LineReader = {
  /** Reads lines until the stream has no data or the sink accepts no line. */
  readonly pump: () => void;
  /** Returns true if the sink accepts no line. */
  readonly stalled: () => boolean;
  /** Resolves when the stream has ended and the last line was written to the sink. */
  readonly closed: Promise<void>;
  /** Writes all received data to the sink, even if the sink accepts no line, and closes the stream. */
  readonly drainAndClose: () => void;
};

/** Creates a line reader. `onBytes` is called with the size of each chunk in bytes. */
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
    // Prevents reentrancy: `write` of a sink can call `pump`.
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

  // While the sink accepts no line, the stream is not read. A module that prints too fast then blocks on its
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
