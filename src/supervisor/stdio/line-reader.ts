import type { Readable } from 'node:stream';
import type { LineBound } from './line-splitter.ts';
import { createLineSplitter } from './line-splitter.ts';

/** Where lines go. */
export type LineSink = {
  /** Whether it takes one more line now; if not, it says later when it does, and its reader is pumped. */
  readonly ready: () => boolean;
  readonly take: (line: Buffer) => void;
};

/** Reads one stream of a process no faster than its sink takes the lines. */
export type LineReader = {
  /** Goes on as far as the stream and the sink allow. */
  readonly pump: () => void;
  /** Whether it waits for its sink. */
  readonly stalled: () => boolean;
  /** Resolves when the stream has ended and its last line was taken. */
  readonly closed: Promise<void>;
  /** Takes what has been read already, whatever the sink says, and closes the stream. */
  readonly abandon: () => void;
};

/** `count` is called with the bytes of each piece that is read. */
export function readLines(
  stream: Readable,
  sink: LineSink,
  bound: LineBound,
  count: (bytes: number) => void = () => {},
): LineReader {
  const lines = createLineSplitter(bound);
  const closed = Promise.withResolvers<void>();
  let pumping = false;
  let ended = false;

  const finish = (): void => {
    const last = lines.rest();
    if (last !== undefined) sink.take(last);
    closed.resolve();
  };

  const pumpWhile = (ready: () => boolean): void => {
    // A sink may settle a line while it takes it, and so ask for more before this one is done.
    if (pumping) return;
    pumping = true;
    while (ready()) {
      const line = lines.next();
      if (line !== undefined) {
        sink.take(line);
        continue;
      }
      const chunk: Buffer | null = stream.read();
      if (chunk !== null) {
        count(chunk.length);
        lines.push(chunk);
        continue;
      }
      if (ended) finish();
      break;
    }
    pumping = false;
  };

  const pump = (): void => pumpWhile(sink.ready);

  // Nobody reads unless there is room, so a module that prints too fast blocks on its own pipe.
  stream.on('readable', pump);
  stream.once('close', () => {
    ended = true;
    pump();
  });
  return {
    pump,
    stalled: () => !sink.ready(),
    closed: closed.promise,
    abandon: () => {
      ended = true;
      pumpWhile(() => true);
      stream.destroy();
    },
  };
}
