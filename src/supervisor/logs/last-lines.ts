import { LAST_LINE_BYTES, LAST_LINES } from '../../core/limits.ts';
import type { LineSink } from '../stdio/line-reader.ts';

/** The last lines of a module's log stream, kept in memory: a reason of its end is mostly among them. */
export type LastLines = {
  /** Passes lines on to `sink` and keeps the last ones. */
  readonly through: (sink: LineSink) => LineSink;
  /** At most LAST_LINES lines of LAST_LINE_BYTES, without characters that act on a terminal. */
  readonly texts: () => string[];
  /** Forgets them: another process begins. */
  readonly clear: () => void;
};

export function createLastLines(): LastLines {
  let lines: Buffer[] = [];
  return {
    through: sink => ({
      ready: sink.ready,
      take: line => {
        // A copy: the line itself would keep all that was read with it.
        if (line.length > 0) lines.push(Buffer.from(line.subarray(0, LAST_LINE_BYTES)));
        if (lines.length > LAST_LINES) lines.shift();
        sink.take(line);
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
