import { bytes } from './table.ts';

/** Milliseconds between two changes of the line. */
const INTERVAL = 100;

type Terminal = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;

/** Progress line on a terminal. Prints nothing if the stream is a file or a pipe. */
export type Progress = {
  /** Shows the progress. `done` and `of` are bytes; `of` is 0 if the total is unknown. */
  readonly show: (what: string, done: number, of: number) => void;
  /** Removes the line. */
  readonly end: () => void;
};

/** Shows progress on `terminal`, standard error by default; `now` is in milliseconds. */
export function createProgress(
  terminal: Terminal = process.stderr,
  now = (): number => performance.now(),
): Progress {
  let shownAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  return {
    show: (what, done, of) => {
      if (!terminal.isTTY || now() - shownAt < INTERVAL) return;
      shownAt = now();
      isShown = true;
      const share = of > 0 ? ` of ${bytes(of)}, ${Math.floor((100 * done) / of)} %` : '';
      terminal.write(
        `\r\x1b[K${`${what}: ${bytes(done)}${share}`.slice(0, Math.max(1, terminal.columns - 1))}`,
      );
    },
    end: () => {
      if (isShown) terminal.write('\r\x1b[K');
      isShown = false;
    },
  };
}
