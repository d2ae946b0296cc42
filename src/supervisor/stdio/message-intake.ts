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

/** Intake of the messages that one module prints: passes them to the host and applies back-pressure. */
export type MessageIntake = LineSink & {
  /** Called if a line of more than `maxBytes` was dropped. */
  readonly exceeded: (maxBytes: number) => void;
  /** Resets the line counter for a new process. */
  readonly resetCount: () => void;
  /** Number of lines that the process has printed, delivered or not. */
  readonly printed: () => number;
  /** Number of lines that the host rejected, permanently or for lack of space, or that were too long. */
  readonly refused: () => number;
};

/**
 * Creates a message intake. A line that the host rejects for lack of space is offered again later, and
 * meanwhile nothing is read, so that the module blocks on its pipe. `onReady` is called when lines are
 * accepted again. The limits persist over restarts of the module.
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
  /** Lines rejected for lack of space, in order. */
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
    warn(`Lines of module "${module}" wait for space in the store: ${error.message}`);
    if (waiting.push(line) === 1) clock.after(LINE_RETRY_MS, offerAgain);
  };

  const offerAgain = (): void => {
    const lines = waiting;
    waiting = [];
    for (const line of lines) offer(line);
    onReady();
  };

  /** True while the host reports back-pressure. `onReady` is called when it ends. */
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
 * Rate-limits warnings: logs one per interval with the number of suppressed ones, because a module may cause
 * one with each line.
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

/** True if a later attempt with the same line may succeed. */
function isTransient(error: Error | undefined): boolean {
  return error instanceof Failure && (error.code === 'store.full' || error.code === 'store.write');
}
