import { reasonOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Drain, DrainSettings, QueueEntry } from '../../queue/types.ts';
import { lineOfMessage, taskLine } from './lines/to-module.ts';

/**
 * Maximum number of unacknowledged lines of one input. If the module crashes, at most this number of lines is
 * delivered twice.
 */
const WINDOW = 16;

/**
 * Delivery of the messages in a module's input queues to the module's standard input, one line per message.
 */
export type LineDelivery = {
  /**
   * Starts or resumes delivery. Called when the module has started, or when its standard input accepts lines
   * again.
   */
  readonly writable: () => void;
  /** Handles the module's acknowledgement of line `id`. Ignores an unknown id. */
  readonly done: (id: number) => void;
  readonly stop: () => void;
  /** Replaces the inputs. If an input is removed, its messages stay in its queue. */
  readonly use: (inputs: readonly LineInput[]) => void;
};

export type LineInput = {
  readonly input: string;
  readonly drain: (settings: DrainSettings) => Drain;
};

export type LineDeliverySettings = {
  readonly module: string;
  /**
   * True if the module acknowledges each line itself. If false, a line is acknowledged when it has been
   * written to the pipe.
   */
  readonly ack: boolean;
  /**
   * Writes a line to the module's standard input. Returns false if the pipe is full after this line. In this
   * case the next write must wait for `writable`.
   */
  readonly write: (line: Buffer, written: (error?: Error) => void) => boolean;
  readonly log: Log;
};

/**
 * Creates the delivery. If the module exits before it has acknowledged a line, the line is delivered again.
 */
export function createLineDelivery({ module, ack, write, log }: LineDeliverySettings): LineDelivery {
  let inputs: readonly LineInput[] = [];
  let running = false;
  let ready = false;
  const open = new Map<string, Drain>();
  let lastId = 0;
  /** Unacknowledged lines by their id. */
  const doing = new Map<number, { readonly drain: Drain; readonly entry: QueueEntry }>();

  const stop = (): void => {
    running = false;
    ready = false;
    doing.clear();
    for (const drain of open.values()) drain.stop();
    open.clear();
  };

  const stopAfterError = (drain: Drain, error: Error): void => {
    if (![...open.values()].includes(drain)) return;
    log.warn(`Module "${module}" closed its standard input before it read all messages: ${error.message}`);
    stop();
  };

  const sendLine = (drain: Drain, entry: QueueEntry): boolean => {
    const line = lineOfMessage(entry.message);
    return write(line, error => {
      if (error === undefined) drain.acknowledge(entry);
      else stopAfterError(drain, error);
    });
  };

  const sendTask = (drain: Drain, entry: QueueEntry, input: string): boolean => {
    const id = lastId + 1;
    const line = taskLine(id, input, entry.message);
    lastId = id;
    doing.set(id, { drain, entry });
    return write(line, error => {
      if (error !== undefined) stopAfterError(drain, error);
    });
  };

  /**
   * Rejects a message that cannot be encoded as a line, so that it becomes a dead letter. Otherwise the
   * encoding would fail again at each start of the module.
   */
  const refuse = (drain: Drain, entry: QueueEntry, error: unknown): void => {
    const reason = `it cannot be encoded as a line: ${reasonOf(error)}`;
    log.error(`Moved a message for module "${module}" to the dead letters: ${reason}.`);
    drain.reject(entry, reason);
  };

  const start = ({ input, drain: openDrain }: LineInput): Drain => {
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

  /** Starts a drain (the reader of one queue) for each new input, and stops the drains of removed inputs. */
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
