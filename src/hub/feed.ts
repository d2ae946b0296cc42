import type { Log } from '../core/log.ts';
import type { Drain, DrainSettings, Entry } from '../queue/types.ts';
import { lineOfMessage } from './lines.ts';

/** Lines on their way into a module's standard input at once: what a crash of the module delivers again. */
const WINDOW = 16;

/** The inputs of one module that reads lines, on their way from their queues to its standard input. */
export type Feed = {
  /** The module was started, or takes input again. */
  readonly writable: () => void;
  readonly stop: () => void;
};

export type FeedSettings = {
  readonly module: string;
  readonly drains: readonly ((settings: DrainSettings) => Drain)[];
  /** False: the line was taken, but the next should wait until the module is writable. */
  readonly write: (line: Buffer, written: (error?: Error) => void) => boolean;
  readonly log: Log;
};

/** An entry is acknowledged once its line was written; what a module that went away had not read comes again. */
export function createFeed({ module, drains, write, log }: FeedSettings): Feed {
  let ready = false;
  let open: Drain[] = [];

  const stop = (): void => {
    ready = false;
    for (const drain of open) drain.stop();
    open = [];
  };

  const sendInto = (drain: () => Drain | undefined, entry: Entry): boolean => {
    if (!ready) return false;
    const receiver = drain();
    ready = write(lineOfMessage(entry.message), error => {
      if (error === undefined) receiver?.acknowledge(entry);
      else if (receiver !== undefined && open.includes(receiver)) {
        log.warn(`Module "${module}" went away before it had read all of its input: ${error.message}`);
        stop();
      }
    });
    return true;
  };

  const start = (openDrain: (settings: DrainSettings) => Drain): Drain => {
    let drain: Drain | undefined;
    drain = openDrain({ window: WINDOW, send: entry => sendInto(() => drain, entry) });
    return drain;
  };

  return {
    writable: () => {
      ready = true;
      if (open.length === 0) open = drains.map(start);
      for (const drain of open) drain.wake();
    },
    stop,
  };
}
