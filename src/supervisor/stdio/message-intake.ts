import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import {
  LINE_RETRY_MS,
  LINE_WARNING_INTERVAL_MS,
  MAX_PENDING_LINE_BYTES,
  MAX_PENDING_LINES,
} from '../limits.ts';
import type { SupervisorHost } from '../spec.ts';
import type { LineSink } from './line-reader.ts';

/**
 * Sink for the messages that one module prints. Passes each line to the hub (`SupervisorHost`) and applies
 * back-pressure.
 */
export type MessageIntake = LineSink & {
  /** Called when a line of more than `maxBytes` was dropped. */
  readonly exceeded: (maxBytes: number) => void;
  /** Resets the number of printed lines. Called when a new process starts. */
  readonly resetCount: () => void;
  /** Returns the number of lines that the process has printed, including rejected lines. */
  readonly printed: () => number;
  /**
   * Returns the number of lines that were too long, plus the number of times that the hub rejected a line.
   * Rejections for lack of space are also counted.
   */
  readonly refused: () => number;
};

/**
 * Creates the sink. A line that the hub rejects for lack of space is offered again after LINE_RETRY_MS. Until
 * then, no output is read, and the module blocks on its pipe. `onReady` is called when lines are accepted
 * again. All processes of a module use the same sink one after another. A restart therefore does not reset
 * the limits.
 */
export function createMessageIntake(
  module: string,
  host: SupervisorHost,
  clock: Clock,
  log: Log,
  onReady: () => void,
): MessageIntake {
  let printed = 0;
  let unsettled = 0;
  let unsettledBytes = 0;
  let refused = 0;
  let backPressure = false;
  /** Lines that the hub rejected for lack of space, in their original order. */
  let waiting: Buffer[] = [];
  const warn = createRateLimitedWarning(clock, log);

  const offer = (line: Buffer): void => {
    host.line(module, line, error => {
      if (error !== undefined) reject(line, error);
      if (isTransient(error)) return;
      unsettled -= 1;
      unsettledBytes -= line.length;
      onReady();
    });
  };

  const reject = (line: Buffer, error: Error): void => {
    refused += 1;
    if (!isTransient(error)) {
      warn(`A line of module "${module}" was dropped: ${error.message}`);
      return;
    }
    warn(`Lines of module "${module}" are not read until the store has space: ${error.message}`);
    if (waiting.push(line) === 1) clock.after(LINE_RETRY_MS, offerAgain);
  };

  const offerAgain = (): void => {
    const lines = waiting;
    waiting = [];
    for (const line of lines) offer(line);
    onReady();
  };

  /** Returns true while the hub reports back-pressure. Calls `onReady` when the back-pressure ends. */
  const hasBackPressure = (): boolean => {
    if (host.pressure?.high() !== true) return false;
    if (backPressure) return true;
    backPressure = true;
    host.pressure.whenLow(() => {
      backPressure = false;
      onReady();
    });
    return true;
  };

  return {
    ready: () =>
      unsettled < MAX_PENDING_LINES &&
      unsettledBytes < MAX_PENDING_LINE_BYTES &&
      waiting.length === 0 &&
      !hasBackPressure(),
    resetCount: () => {
      printed = 0;
    },
    write: line => {
      printed += 1;
      unsettled += 1;
      unsettledBytes += line.length;
      offer(line);
    },
    exceeded: maxBytes => {
      printed += 1;
      refused += 1;
      warn(
        `A line of module "${module}" was dropped: it exceeds the maximum packet size of ${maxBytes} bytes. Print shorter lines.`,
      );
    },
    printed: () => printed,
    refused: () => refused,
  };
}

/**
 * Returns a function that logs at most one warning per interval, with the number of suppressed warnings. A
 * module could otherwise cause one warning with each line.
 */
function createRateLimitedWarning(clock: Clock, log: Log): (text: string) => void {
  let loggedAt = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  return text => {
    const now = clock.monotonic();
    if (now - loggedAt < LINE_WARNING_INTERVAL_MS) {
      suppressed += 1;
      return;
    }
    log.warn(suppressed === 0 ? text : `${text} (${suppressed} similar messages suppressed)`);
    loggedAt = now;
    suppressed = 0;
  };
}

/**
 * Returns true if the line was rejected because the store is full or cannot be written. A later attempt can
 * succeed.
 */
function isTransient(error: Error | undefined): boolean {
  return error instanceof Failure && (error.code === 'store.full' || error.code === 'store.write');
}
