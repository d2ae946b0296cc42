import { MAX_LAST_LINE_BYTES, MAX_LAST_LINES } from '../limits.ts';
import type { LineSink } from '../stdio/line-reader.ts';

/**
 * Last lines of a module's standard error or terminal. The lines are stored in memory, because they often
 * show why the module exited.
 */
export type LastLines = {
  /** Returns a sink that stores copies of the last lines and passes all lines to `sink`. */
  readonly through: (sink: LineSink) => LineSink;
  /**
   * Returns at most MAX_LAST_LINES lines, each of at most MAX_LAST_LINE_BYTES bytes. Control characters are
   * replaced by spaces.
   */
  readonly texts: () => string[];
  /** Removes all lines. Called before a new process starts. */
  readonly clear: () => void;
};

export function createLastLines(): LastLines {
  let lines: Buffer[] = [];
  return {
    through: sink => ({
      ready: sink.ready,
      write: line => {
        // Copies the bytes, because a view would retain the memory of the whole chunk.
        if (line.length > 0) lines.push(Buffer.from(line.subarray(0, MAX_LAST_LINE_BYTES)));
        if (lines.length > MAX_LAST_LINES) lines.shift();
        sink.write(line);
      },
    }),
    texts: () =>
      lines.map(line =>
        line
          .toString()
          .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
          .trim(),
      ),
    clear: () => {
      lines = [];
    },
  };
}
