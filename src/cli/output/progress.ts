import { bytes } from './table.ts';

/** Minimum milliseconds between two updates of the progress line. */
const INTERVAL = 100;

type Terminal = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;

/** Progress line on a terminal. Nothing is printed if the stream is a file or a pipe. */
export type Progress = {
  /** Shows the progress. `done` and `of` are in bytes. `of` is 0 if the total is unknown. */
  readonly show: (what: string, done: number, of: number) => void;
  /** Removes the progress line. */
  readonly end: () => void;
};

/** Creates a progress line on `terminal`, by default standard error. `now` returns milliseconds. */
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
