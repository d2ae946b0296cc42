import { reasonOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Drain, DrainSettings, QueueEntry } from '../queue/types.ts';
import { lineOfMessage, taskLine } from './lines/to-module.ts';

/** Lines on their way into a module's standard input at once: what a crash of the module delivers again. */
const WINDOW = 16;

/** The inputs of one module that reads lines, on their way from their queues to its standard input. */
export type Feed = {
  /** The module was started, or takes input again. */
  readonly writable: () => void;
  /** The module says that it is done with what it got under `id`; one that is not on its way changes nothing. */
  readonly done: (id: number) => void;
  readonly stop: () => void;
  /** From now on these are its inputs; those that were and are not any more wait in their queues. */
  readonly use: (inputs: readonly FeedInput[]) => void;
};

export type FeedInput = {
  readonly input: string;
  readonly drain: (settings: DrainSettings) => Drain;
};

export type FeedSettings = {
  readonly module: string;
  /** What a line brings is acknowledged when the module says `done`, not when it was written. */
  readonly ack: boolean;
  /** False: the line was taken, but the next should wait until the module is writable. */
  readonly write: (line: Buffer, written: (error?: Error) => void) => boolean;
  readonly log: Log;
};

/** What a module that went away had not taken, or not said to be done with, comes again. */
export function createFeed({ module, ack, write, log }: FeedSettings): Feed {
  let inputs: readonly FeedInput[] = [];
  let running = false;
  let ready = false;
  const open = new Map<string, Drain>();
  let lastId = 0;
  /** What the module has and has not said to be done with: at most a window of each input. */
  const doing = new Map<number, { readonly drain: Drain; readonly entry: QueueEntry }>();

  const stop = (): void => {
    running = false;
    ready = false;
    doing.clear();
    for (const drain of open.values()) drain.stop();
    open.clear();
  };

  const gone = (drain: Drain, error: Error): void => {
    if (![...open.values()].includes(drain)) return;
    log.warn(`Module "${module}" went away before it had read all of its input: ${error.message}`);
    stop();
  };

  const sendLine = (drain: Drain, entry: QueueEntry): boolean => {
    const line = lineOfMessage(entry.message);
    return write(line, error => {
      if (error === undefined) drain.acknowledge(entry);
      else gone(drain, error);
    });
  };

  const sendTask = (drain: Drain, entry: QueueEntry, input: string): boolean => {
    const id = lastId + 1;
    const line = taskLine(id, input, entry.message);
    lastId = id;
    doing.set(id, { drain, entry });
    return write(line, error => {
      if (error !== undefined) gone(drain, error);
    });
  };

  /** Makes a dead letter of a message that no line can be made of: it would fail again at each start. */
  const refuse = (drain: Drain, entry: QueueEntry, error: unknown): void => {
    const reason = `no line can be made of it: ${reasonOf(error)}`;
    log.error(`A message for module "${module}" is now a dead letter: ${reason}.`);
    drain.reject(entry, reason);
  };

  const start = ({ input, drain: openDrain }: FeedInput): Drain => {
    let drain: Drain | undefined;
    const send = (entry: QueueEntry): boolean => {
      if (!ready || drain === undefined) return false;
      try {
        ready = ack ? sendTask(drain, entry, input) : sendLine(drain, entry);
      } catch (error) {
        refuse(drain, entry, error);
      }
      return true;
    };
    drain = openDrain({ window: WINDOW, send });
    return drain;
  };

  /** What it takes input from: each of its inputs, while it runs. */
  const feed = (): void => {
    const wanted = new Set(inputs.map(({ input }) => input));
    for (const [input, drain] of open) {
      if (wanted.has(input)) continue;
      drain.stop();
      open.delete(input);
    }
    for (const one of inputs) if (!open.has(one.input)) open.set(one.input, start(one));
    for (const drain of open.values()) drain.wake();
  };

  return {
    writable: () => {
      running = true;
      ready = true;
      feed();
    },
    use: wanted => {
      inputs = wanted;
      if (running) feed();
    },
    done: id => {
      const task = doing.get(id);
      if (task === undefined) return;
      doing.delete(id);
      task.drain.acknowledge(task.entry);
    },
    stop,
  };
}
