import { MAX_LAST_LINE_BYTES, MAX_LAST_LINES } from '../limits.ts';
import type { LineSink } from '../stdio/line-reader.ts';

/**
 * Last lines of a module's standard error or terminal, kept in memory because they often show why it exited.
 */
export type LastLines = {
  /** Wraps a sink and keeps the last lines that pass through. */
  readonly through: (sink: LineSink) => LineSink;
  /** Returns at most MAX_LAST_LINES lines of MAX_LAST_LINE_BYTES without control characters. */
  readonly texts: () => string[];
  /** Clears the lines before a new process. */
  readonly clear: () => void;
};

export function createLastLines(): LastLines {
  let lines: Buffer[] = [];
  return {
    through: sink => ({
      ready: sink.ready,
      write: line => {
        // Copies the line, because a view would keep the whole chunk alive.
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
